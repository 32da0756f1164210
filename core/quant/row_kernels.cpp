#include "core/quant/row_kernels.h"

#include <array>
#include <bit>
#include <cmath>
#include <limits>

// Every kernel is one plain loop, compiled once per instruction set: the loops are inlined into functions
// with a target attribute and vectorised there. None of them may be contracted or reassociated, so all give
// the same bits.
#if defined(__x86_64__)
#define QS_TARGET_AVX2 __attribute__((target("avx2")))
#define QS_TARGET_AVX512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,prefer-vector-width=512")))
#else
#define QS_TARGET_AVX2
#define QS_TARGET_AVX512
#endif
#define QS_INLINE [[gnu::always_inline]] inline

namespace qs {

namespace {

constexpr float kRounder = 12582912.0F; // 1.5 * 2^23
constexpr std::int32_t kOctave = 1 << 23;

/// round half to even of x / s, clamped, as a float without negative zero.
QS_INLINE float code(float x, float step, float lowest, float highest)
{
    float t = x / step;
    t = t == t ? t : 0.0F;
    t = t > lowest ? t : lowest;
    t = t < highest ? t : highest;
    return (t + kRounder) - kRounder; // |t| <= 2^22; -0.3 gives +0
}

QS_INLINE void uniformLoop(const float* in, float* out, std::size_t size, UniformScale scale)
{
    for (std::size_t i = 0; i < size; ++i) {
        out[i] = code(in[i], scale.step, scale.lowest, scale.highest) * scale.step;
    }
}

QS_INLINE void uniformPerElementLoop(const float* in, float* out, std::size_t size, const float* steps,
    const float* lowest, const float* highest)
{
    for (std::size_t i = 0; i < size; ++i) {
        out[i] = code(in[i], steps[i], lowest[i], highest[i]) * steps[i];
    }
}

/// Octaves from x up to the threshold, rounded up; 0 from the threshold on.
QS_INLINE std::int32_t octavesBelow(std::int32_t bits, std::int32_t threshold)
{
    const std::int32_t distance = threshold - bits;
    return ((distance > 0 ? distance : 0) + (kOctave - 1)) >> 23;
}

QS_INLINE float decoded(std::int32_t level, std::int32_t octaves, bool isCoded)
{
    const std::int32_t bits = level - (octaves << 23);
    return std::bit_cast<float>(isCoded && bits >= kOctave ? bits : 0);
}

/// Bits of x where it is a positive normal number or +infinity, else 0.
QS_INLINE std::int32_t positiveBits(float x)
{
    const auto bits = std::bit_cast<std::int32_t>(x);
    return x >= std::numeric_limits<float>::min() ? bits : 0;
}

QS_INLINE void log2Loop(const float* in, float* out, std::size_t size, LogScale scale)
{
    for (std::size_t i = 0; i < size; ++i) {
        const std::int32_t bits = positiveBits(in[i]);
        const std::int32_t q = octavesBelow(bits, scale.evenThreshold);
        out[i] = decoded(scale.evenLevel, q, (bits != 0) & (q <= scale.topCode));
    }
}

QS_INLINE void logSqrt2Loop(const float* in, float* out, std::size_t size, LogScale scale)
{
    for (std::size_t i = 0; i < size; ++i) {
        const std::int32_t bits = positiveBits(in[i]);
        const std::int32_t q
            = octavesBelow(bits, scale.evenThreshold) + octavesBelow(bits, scale.oddThreshold);
        const std::int32_t isOdd = -(q & 1); // all bits or none
        const std::int32_t level = scale.evenLevel ^ ((scale.evenLevel ^ scale.oddLevel) & isOdd);
        out[i] = decoded(level, q >> 1, (bits != 0) & (q <= scale.topCode));
    }
}

/// Value i goes to partial sum i mod kLanes; the partial sums are added in order.
QS_INLINE double uniformErrorLoop(const float* in, std::size_t size, UniformScale scale)
{
    constexpr std::size_t kLanes = 16;
    std::array<double, kLanes> sums {};
    std::size_t i = 0;
    for (; i + kLanes <= size; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const float x = in[i + lane];
            const float y = code(x, scale.step, scale.lowest, scale.highest) * scale.step;
            const double difference = static_cast<double>(x) - static_cast<double>(y);
            sums[lane] += difference * difference;
        }
    }
    for (std::size_t lane = 0; i + lane < size; ++lane) {
        const float x = in[i + lane];
        const float y = code(x, scale.step, scale.lowest, scale.highest) * scale.step;
        const double difference = static_cast<double>(x) - static_cast<double>(y);
        sums[lane] += difference * difference;
    }
    double total = 0.0;
    for (const double sum : sums) {
        total += sum;
    }
    return total;
}

#define QS_DEFINE_KERNELS(name, target)                                                                      \
    target void uniform##name(const float* in, float* out, std::size_t size, UniformScale scale)             \
    {                                                                                                        \
        uniformLoop(in, out, size, scale);                                                                   \
    }                                                                                                        \
    target void uniformPerElement##name(const float* in, float* out, std::size_t size, const float* steps,   \
        const float* lowest, const float* highest)                                                           \
    {                                                                                                        \
        uniformPerElementLoop(in, out, size, steps, lowest, highest);                                        \
    }                                                                                                        \
    target void log2##name(const float* in, float* out, std::size_t size, LogScale scale)                    \
    {                                                                                                        \
        log2Loop(in, out, size, scale);                                                                      \
    }                                                                                                        \
    target void logSqrt2##name(const float* in, float* out, std::size_t size, LogScale scale)                \
    {                                                                                                        \
        logSqrt2Loop(in, out, size, scale);                                                                  \
    }                                                                                                        \
    target double uniformError##name(const float* in, std::size_t size, UniformScale scale)                  \
    {                                                                                                        \
        return uniformErrorLoop(in, size, scale);                                                            \
    }                                                                                                        \
    constexpr RowKernels k##name {                                                                           \
        uniform##name, uniformPerElement##name, log2##name, logSqrt2##name, uniformError##name};

QS_DEFINE_KERNELS(Portable, )
QS_DEFINE_KERNELS(Avx2, QS_TARGET_AVX2)
QS_DEFINE_KERNELS(Avx512, QS_TARGET_AVX512)

#undef QS_DEFINE_KERNELS

/// Bits of the least float that is not below a positive double.
std::int32_t bitsNotBelow(double threshold)
{
    auto nearest = static_cast<float>(threshold);
    if (static_cast<double>(nearest) < threshold) {
        nearest = std::nextafter(nearest, std::numeric_limits<float>::infinity());
    }
    return std::bit_cast<std::int32_t>(nearest);
}

} // namespace

UniformScale uniformScale(const QuantParams& params, std::size_t index)
{
    const double zeroPoint = params.zeroPoints[index];
    return {params.scales[index], static_cast<float>(params.minimumCode() - zeroPoint),
        static_cast<float>(params.maximumCode() - zeroPoint)};
}

LogScale logScale(float d, LogBase base, std::int32_t topCode)
{
    const auto exact = static_cast<double>(d);
    LogScale scale;
    scale.topCode = topCode;
    scale.evenLevel = std::bit_cast<std::int32_t>(d);
    if (base == LogBase::Two) {
        scale.evenThreshold = bitsNotBelow(exact * std::exp2(-0.5));
        return scale;
    }
    scale.evenThreshold = bitsNotBelow(exact * std::exp2(-0.25));
    scale.oddThreshold = bitsNotBelow(exact * std::exp2(-0.75));
    const auto rootTwo = static_cast<float>(std::sqrt(2.0));
    scale.oddLevel = std::bit_cast<std::int32_t>(0.5F * rootTwo * d);
    return scale;
}

Isa detectIsa()
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
        return Isa::Avx512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return Isa::Avx2;
    }
#endif
    return Isa::Portable;
}

const RowKernels& rowKernels(Isa isa)
{
    switch (isa) {
    case Isa::Avx512: return kAvx512;
    case Isa::Avx2: return kAvx2;
    case Isa::Portable: break;
    }
    return kPortable;
}

const RowKernels& rowKernels()
{
    static const RowKernels& best = rowKernels(detectIsa());
    return best;
}

} // namespace qs
