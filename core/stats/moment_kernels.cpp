#include "core/stats/moment_kernels.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <smmintrin.h>

namespace qs {

namespace {

// The bodies below are compiled once per instruction set: they are inlined into wrappers with a target
// attribute.
#define QS_KERNEL_BODY static inline __attribute__((always_inline))

constexpr std::int32_t kAbsoluteMask = 0x7FFFFFFF;
constexpr std::int32_t kInfinityBits = 0x7F800000;
constexpr std::int32_t kRestMask = (1 << kLog2MantissaBits) - 1;
constexpr float kRestScale = 1.0F / static_cast<float>(1 << kLog2MantissaBits);

/// Slots and places of one vector of 16 values.
struct alignas(64) Binned
{
    std::int32_t slot[kMomentLanes];
    float place[kMomentLanes];
    float square[kMomentLanes];
};

QS_KERNEL_BODY void addPacket(MomentPacket& slot, __m128 packet)
{
    float* memory = &slot.count;
    _mm_store_ps(memory, _mm_add_ps(_mm_load_ps(memory), packet));
}

/// Adds (1, t, t^2, 0) of 16 values to their slots, in lane order.
QS_KERNEL_BODY void addBinned(const Binned& binned, MomentPacket* tables)
{
    const __m128 ones = _mm_set1_ps(1.0F);
    const __m128 zero = _mm_setzero_ps();
    for (int lane = 0; lane < kMomentLanes; lane += 4) {
        const __m128 place = _mm_load_ps(binned.place + lane);
        const __m128 square = _mm_load_ps(binned.square + lane);
        const __m128 lowFront = _mm_unpacklo_ps(ones, place);
        const __m128 lowBack = _mm_unpacklo_ps(square, zero);
        const __m128 highFront = _mm_unpackhi_ps(ones, place);
        const __m128 highBack = _mm_unpackhi_ps(square, zero);
        const std::int32_t* slot = binned.slot + lane;
        addPacket(tables[slot[0]], _mm_movelh_ps(lowFront, lowBack));
        addPacket(tables[slot[1]], _mm_movehl_ps(lowBack, lowFront));
        addPacket(tables[slot[2]], _mm_movelh_ps(highFront, highBack));
        addPacket(tables[slot[3]], _mm_movehl_ps(highBack, highFront));
    }
}

QS_KERNEL_BODY void addScalar(MomentPacket& slot, float place)
{
    slot.count += 1.0F;
    slot.sum += place;
    slot.squares += place * place;
}

QS_KERNEL_BODY void binLinear(float value, float scale, std::int32_t mask, MomentPacket* table)
{
    const float position = value * scale;
    const float bin = std::floor(position);
    addScalar(table[static_cast<std::int32_t>(bin) & mask], position - bin);
}

QS_KERNEL_BODY void binLogarithmic(float value, MomentPacket* table)
{
    const auto bits = std::bit_cast<std::int32_t>(value);
    const std::int32_t slot = std::clamp((bits >> kLog2MantissaBits) - kLog2Base + 1, 0, kLog2Slots - 1);
    addScalar(table[slot], slot == 0 ? value : static_cast<float>(bits & kRestMask) * kRestScale);
}

/// The compiler's vectors of `Bytes` bytes: one register of the instruction set.
template<int Bytes>
struct Vectors
{
    using Floats [[gnu::vector_size(Bytes)]] = float;
    using Integers [[gnu::vector_size(Bytes)]] = std::int32_t;
    static constexpr int kLanes = Bytes / static_cast<int>(sizeof(float));
};

/// Running smallest and largest value and magnitude of one register's lanes.
template<int Bytes>
struct LaneRange
{
    using Floats = typename Vectors<Bytes>::Floats;
    using Integers = typename Vectors<Bytes>::Integers;
    Floats low = std::numeric_limits<float>::max() - Floats {};
    Floats high = std::numeric_limits<float>::lowest() - Floats {};
    Integers largest {};
};

template<int Bytes>
QS_KERNEL_BODY void take(LaneRange<Bytes>& range, const float* source)
{
    typename Vectors<Bytes>::Floats value;
    typename Vectors<Bytes>::Integers magnitude;
    std::memcpy(&value, source, Bytes);
    std::memcpy(&magnitude, source, Bytes);
    magnitude &= kAbsoluteMask;
    range.low = value < range.low ? value : range.low;
    range.high = value > range.high ? value : range.high;
    range.largest = magnitude > range.largest ? magnitude : range.largest;
}

template<int Bytes>
QS_KERNEL_BODY bool columnRangeBody(const float* values, std::int64_t stride, std::int64_t rows,
    float* packed, float* minimum, float* maximum)
{
    constexpr int kLanes = Vectors<Bytes>::kLanes;
    std::int32_t largest = 0;
    for (int first = 0; first < kMomentLanes; first += kLanes) {
        LaneRange<Bytes> range;
        for (std::int64_t row = 0; row < rows; ++row) {
            const float* source = values + row * stride + first;
            std::memcpy(packed + row * kMomentLanes + first, source, Bytes);
            take(range, source);
        }
        for (int lane = 0; lane < kLanes; ++lane) {
            minimum[first + lane] = range.low[lane];
            maximum[first + lane] = range.high[lane];
            largest = std::max(largest, range.largest[lane]);
        }
    }
    return largest < kInfinityBits;
}

QS_KERNEL_BODY void binColumnsBody(
    const float* packed, std::int64_t rows, const float* scales, std::int32_t mask, MomentPacket* tables)
{
    alignas(64) float scale[kMomentLanes];
    alignas(64) std::int32_t offset[kMomentLanes];
    for (int lane = 0; lane < kMomentLanes; ++lane) {
        scale[lane] = scales[lane];
        offset[lane] = lane * (mask + 1);
    }
    Binned binned;
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* source = packed + row * kMomentLanes;
        for (int lane = 0; lane < kMomentLanes; ++lane) {
            const float position = source[lane] * scale[lane];
            const float bin = std::floor(position);
            const float place = position - bin;
            binned.slot[lane] = (static_cast<std::int32_t>(bin) & mask) + offset[lane];
            binned.place[lane] = place;
            binned.square[lane] = place * place;
        }
        addBinned(binned, tables);
    }
}

template<int Bytes>
QS_KERNEL_BODY bool rowRangeBody(const float* values, std::int64_t stride, std::int64_t rows,
    std::int64_t width, float* minimum, float* maximum)
{
    constexpr int kLanes = Vectors<Bytes>::kLanes;
    float low = std::numeric_limits<float>::max();
    float high = std::numeric_limits<float>::lowest();
    std::int32_t largest = 0;
    LaneRange<Bytes> range;
    const std::int64_t body = width - width % kLanes;
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* source = values + row * stride;
        for (std::int64_t column = 0; column < body; column += kLanes) {
            take(range, source + column);
        }
        for (std::int64_t column = body; column < width; ++column) {
            low = std::min(low, source[column]);
            high = std::max(high, source[column]);
            largest = std::max(largest, std::bit_cast<std::int32_t>(source[column]) & kAbsoluteMask);
        }
    }
    for (int lane = 0; lane < kLanes; ++lane) {
        low = std::min(low, range.low[lane]);
        high = std::max(high, range.high[lane]);
        largest = std::max(largest, range.largest[lane]);
    }
    *minimum = low;
    *maximum = high;
    return largest < kInfinityBits;
}

QS_KERNEL_BODY void binRowsBody(const float* values, std::int64_t stride, std::int64_t rows,
    std::int64_t width, float scale, std::int32_t mask, MomentPacket* tables)
{
    alignas(64) std::int32_t offset[kMomentLanes];
    for (int lane = 0; lane < kMomentLanes; ++lane) {
        offset[lane] = (lane % kMomentTables) * (mask + 1);
    }
    const std::int64_t body = width - width % kMomentLanes;
    Binned binned;
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* source = values + row * stride;
        for (std::int64_t column = 0; column < body; column += kMomentLanes) {
            for (int lane = 0; lane < kMomentLanes; ++lane) {
                const float position = source[column + lane] * scale;
                const float bin = std::floor(position);
                const float place = position - bin;
                binned.slot[lane] = (static_cast<std::int32_t>(bin) & mask) + offset[lane];
                binned.place[lane] = place;
                binned.square[lane] = place * place;
            }
            addBinned(binned, tables);
        }
        for (std::int64_t column = body; column < width; ++column) {
            binLinear(source[column], scale, mask, tables + offset[column % kMomentTables]);
        }
    }
}

QS_KERNEL_BODY void binRowsLog2Body(
    const float* values, std::int64_t stride, std::int64_t rows, std::int64_t width, MomentPacket* tables)
{
    alignas(64) std::int32_t offset[kMomentLanes];
    for (int lane = 0; lane < kMomentLanes; ++lane) {
        offset[lane] = (lane % kMomentTables) * kLog2Slots;
    }
    const std::int64_t body = width - width % kMomentLanes;
    Binned binned;
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* source = values + row * stride;
        for (std::int64_t column = 0; column < body; column += kMomentLanes) {
            for (int lane = 0; lane < kMomentLanes; ++lane) {
                const float value = source[column + lane];
                const auto bits = std::bit_cast<std::int32_t>(value);
                const std::int32_t raw = (bits >> kLog2MantissaBits) - kLog2Base + 1;
                const std::int32_t capped = raw < kLog2Slots - 1 ? raw : kLog2Slots - 1;
                const std::int32_t slot = capped > 0 ? capped : 0;
                const float rest = static_cast<float>(bits & kRestMask) * kRestScale;
                const float place = raw > 0 ? rest : value;
                binned.slot[lane] = slot + offset[lane];
                binned.place[lane] = place;
                binned.square[lane] = place * place;
            }
            addBinned(binned, tables);
        }
        for (std::int64_t column = body; column < width; ++column) {
            binLogarithmic(source[column], tables + offset[column % kMomentTables]);
        }
    }
}

#define QS_KERNEL_SET(NAME, BYTES, TARGET)                                                                   \
    TARGET bool columnRange##NAME(                                                                           \
        const float* values, std::int64_t stride, std::int64_t rows, float* packed, float* low, float* high) \
    {                                                                                                        \
        return columnRangeBody<BYTES>(values, stride, rows, packed, low, high);                              \
    }                                                                                                        \
    TARGET void binColumns##NAME(const float* packed, std::int64_t rows, const float* scales,                \
        std::int32_t mask, MomentPacket* tables)                                                             \
    {                                                                                                        \
        binColumnsBody(packed, rows, scales, mask, tables);                                                  \
    }                                                                                                        \
    TARGET bool rowRange##NAME(const float* values, std::int64_t stride, std::int64_t rows,                  \
        std::int64_t width, float* low, float* high)                                                         \
    {                                                                                                        \
        return rowRangeBody<BYTES>(values, stride, rows, width, low, high);                                  \
    }                                                                                                        \
    TARGET void binRows##NAME(const float* values, std::int64_t stride, std::int64_t rows,                   \
        std::int64_t width, float scale, std::int32_t mask, MomentPacket* tables)                            \
    {                                                                                                        \
        binRowsBody(values, stride, rows, width, scale, mask, tables);                                       \
    }                                                                                                        \
    TARGET void binRowsLog2##NAME(const float* values, std::int64_t stride, std::int64_t rows,               \
        std::int64_t width, MomentPacket* tables)                                                            \
    {                                                                                                        \
        binRowsLog2Body(values, stride, rows, width, tables);                                                \
    }                                                                                                        \
    constexpr MomentKernels k##NAME {                                                                        \
        columnRange##NAME, binColumns##NAME, rowRange##NAME, binRows##NAME, binRowsLog2##NAME};

QS_KERNEL_SET(Baseline, 16, )
QS_KERNEL_SET(Avx2, 32, __attribute__((target("avx2"))))
QS_KERNEL_SET(
    Avx512, 64, __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512"))))

#undef QS_KERNEL_SET
#undef QS_KERNEL_BODY

} // namespace

bool isSupported(InstructionSet set)
{
    switch (set) {
    case InstructionSet::Baseline: return true;
    case InstructionSet::Avx2: return __builtin_cpu_supports("avx2") != 0;
    case InstructionSet::Avx512:
        return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0
            && __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0;
    }
    return false;
}

const MomentKernels& momentKernels(InstructionSet set)
{
    assert(isSupported(set));
    switch (set) {
    case InstructionSet::Avx512: return kAvx512;
    case InstructionSet::Avx2: return kAvx2;
    case InstructionSet::Baseline: break;
    }
    return kBaseline;
}

const MomentKernels& momentKernels()
{
    static const MomentKernels& widest = isSupported(InstructionSet::Avx512)
        ? momentKernels(InstructionSet::Avx512)
        : momentKernels(isSupported(InstructionSet::Avx2) ? InstructionSet::Avx2 : InstructionSet::Baseline);
    return widest;
}

void binValue(float value, float scale, std::int32_t mask, MomentPacket* table)
{
    binLinear(value, scale, mask, table);
}

void binValueLog2(float value, MomentPacket* table)
{
    binLogarithmic(value, table);
}

} // namespace qs
