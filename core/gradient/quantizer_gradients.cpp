#include "core/gradient/quantizer_gradients.h"

#include "core/quant/row_kernels.h"

// As in core/quant/row_kernels.cpp: one plain loop, compiled for two instruction sets, the same bits in both.
#if defined(__x86_64__)
#define QS_TARGET_AVX2 __attribute__((target("avx2")))
#else
#define QS_TARGET_AVX2
#endif
#define QS_INLINE [[gnu::always_inline]] inline

namespace qs {

namespace {

constexpr std::size_t kLanes = LaneSums::kLanes;
constexpr float kRounder = 12582912.0F; // 1.5 * 2^23

/// Calls element(i, lane) for every element of a row.
template<typename Element>
QS_INLINE void forLanes(std::size_t size, const Element& element)
{
    std::size_t i = 0;
    for (; i + kLanes <= size; i += kLanes) {
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            element(i + lane, lane);
        }
    }
    for (std::size_t lane = 0; i < size; ++i, ++lane) {
        element(i, lane);
    }
}

QS_INLINE void uniformLoop(UniformRow row, const float* x, const float* g, float* dx, std::size_t size,
    LaneSums& scale, LaneSums& zero)
{
    std::array<float, kLanes> scales = scale.lanes;
    std::array<float, kLanes> zeros = zero.lanes;
    const float below = row.lowest - 1.0F;
    const float above = row.highest + 1.0F;
    forLanes(size, [&](std::size_t i, std::size_t lane) {
        const float v = x[i] / row.step;
        float t = v > below ? v : below;
        t = t < above ? t : above;
        const float r = (t + kRounder) - kRounder;
        const float slope = r < row.lowest ? row.lowest : (r > row.highest ? row.highest : r - v);
        const bool inside = r >= row.lowest && r <= row.highest;
        dx[i] = inside ? g[i] : 0.0F;
        scales[lane] += g[i] * slope;
        zeros[lane] += inside ? 0.0F : -g[i];
    });
    scale.lanes = scales;
    zero.lanes = zeros;
}

QS_INLINE void logarithmicLoop(
    float above, const float* x, const float* y, const float* g, float* dx, std::size_t size, LaneSums& scale)
{
    std::array<float, kLanes> scales = scale.lanes;
    forLanes(size, [&](std::size_t i, std::size_t lane) {
        const bool clipped = x[i] > above;
        const float ratio = y[i] / x[i]; // of no use where y is 0
        dx[i] = clipped || y[i] == 0.0F ? 0.0F : g[i] * ratio;
        scales[lane] += clipped ? g[i] : 0.0F;
    });
    scale.lanes = scales;
}

void uniformPortable(UniformRow row, const float* x, const float* g, float* dx, std::size_t size,
    LaneSums& scale, LaneSums& zero)
{
    uniformLoop(row, x, g, dx, size, scale, zero);
}

QS_TARGET_AVX2 void uniformAvx2(UniformRow row, const float* x, const float* g, float* dx, std::size_t size,
    LaneSums& scale, LaneSums& zero)
{
    uniformLoop(row, x, g, dx, size, scale, zero);
}

void logarithmicPortable(
    float above, const float* x, const float* y, const float* g, float* dx, std::size_t size, LaneSums& scale)
{
    logarithmicLoop(above, x, y, g, dx, size, scale);
}

QS_TARGET_AVX2 void logarithmicAvx2(
    float above, const float* x, const float* y, const float* g, float* dx, std::size_t size, LaneSums& scale)
{
    logarithmicLoop(above, x, y, g, dx, size, scale);
}

} // namespace

void uniformRowGradient(UniformRow row, const float* x, const float* g, float* dx, std::size_t size,
    LaneSums& scale, LaneSums& zero)
{
    static const auto kernel = detectIsa() == Isa::Portable ? &uniformPortable : &uniformAvx2;
    kernel(row, x, g, dx, size, scale, zero);
}

void logarithmicRowGradient(
    float above, const float* x, const float* y, const float* g, float* dx, std::size_t size, LaneSums& scale)
{
    static const auto kernel = detectIsa() == Isa::Portable ? &logarithmicPortable : &logarithmicAvx2;
    kernel(above, x, y, g, dx, size, scale);
}

} // namespace qs
