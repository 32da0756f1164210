#include "core/stats/moment_kernels.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <smmintrin.h>
#include <utility>

namespace qs {

namespace {

// The bodies below are compiled once per instruction set: they are inlined into wrappers with a target
// attribute.
#define QS_KERNEL_BODY static inline __attribute__((always_inline))

constexpr std::int32_t kAbsoluteMask = 0x7FFFFFFF;
constexpr std::int32_t kInfinityBits = 0x7F800000;
constexpr std::int32_t kRestMask = (1 << kLog2MantissaBits) - 1;
constexpr float kRestScale = 1.0F / static_cast<float>(1 << kLog2MantissaBits);

/// Places of 16 values in their bins, and where the bins are: offsets in bytes from the tables' begin.
struct alignas(64) Binned
{
    float place[kMomentLanes];
    float square[kMomentLanes];
    std::uint32_t offset[kMomentLanes];
};

QS_KERNEL_BODY std::uint32_t bytesOf(std::int32_t slot)
{
    return static_cast<std::uint32_t>(slot) * static_cast<std::uint32_t>(sizeof(MomentPacket));
}

/// The compiler's vectors of `Bytes` bytes: one register of the instruction set.
template<int Bytes>
struct Vectors
{
    using Floats [[gnu::vector_size(Bytes)]] = float;
    using Integers [[gnu::vector_size(Bytes)]] = std::int32_t;
    static constexpr int kLanes = Bytes / static_cast<int>(sizeof(float));
};

/// Two neighbours of each four lanes of a and b in turns, from lane 2 * `half` on: a0 b0 a1 b1 | a4 b4 a5 b5
/// …
template<int Half, typename Floats, int... Lane>
QS_KERNEL_BODY void interleave(
    const Floats& a, const Floats& b, Floats& result, std::integer_sequence<int, Lane...>)
{
    constexpr int kLanes = sizeof...(Lane);
    result = __builtin_shufflevector(
        a, b, (Lane / 4 * 4 + 2 * Half + Lane % 4 / 2 + (Lane % 2 == 0 ? 0 : kLanes))...);
}

/// Half of each four lanes of a, then the same half of b: a0 a1 b0 b1 | a4 a5 b4 b5 …
template<int Half, typename Floats, int... Lane>
QS_KERNEL_BODY void joinHalves(
    const Floats& a, const Floats& b, Floats& result, std::integer_sequence<int, Lane...>)
{
    constexpr int kLanes = sizeof...(Lane);
    result = __builtin_shufflevector(
        a, b, (Lane / 4 * 4 + 2 * Half + Lane % 2 + (Lane % 4 < 2 ? 0 : kLanes))...);
}

/// Where makePackets() puts the packet of a lane.
template<int Lanes>
constexpr int packetOf(int lane)
{
    return lane / Lanes * Lanes + lane % 4 * (Lanes / 4) + lane % Lanes / 4;
}

/// (1, t, t^2, 0) of 16 values.
template<int Bytes>
QS_KERNEL_BODY void makePackets(const Binned& binned, MomentPacket* packets)
{
    using Floats = typename Vectors<Bytes>::Floats;
    constexpr int kLanes = Vectors<Bytes>::kLanes;
    constexpr std::make_integer_sequence<int, kLanes> kSequence {};
    const Floats zero {};
    const Floats ones = 1.0F - zero;
    for (int first = 0; first < kMomentLanes; first += kLanes) {
        Floats place;
        Floats square;
        std::memcpy(&place, binned.place + first, Bytes);
        std::memcpy(&square, binned.square + first, Bytes);
        Floats front[2];
        Floats back[2];
        interleave<0>(ones, place, front[0], kSequence);
        interleave<0>(square, zero, back[0], kSequence);
        interleave<1>(ones, place, front[1], kSequence);
        interleave<1>(square, zero, back[1], kSequence);
        Floats joined[4];
        joinHalves<0>(front[0], back[0], joined[0], kSequence);
        joinHalves<1>(front[0], back[0], joined[1], kSequence);
        joinHalves<0>(front[1], back[1], joined[2], kSequence);
        joinHalves<1>(front[1], back[1], joined[3], kSequence);
        std::memcpy(packets + first, joined, sizeof joined);
    }
}

/// Adds 16 packets to their bins, in the order of the lanes.
template<int Bytes>
QS_KERNEL_BODY void addBinned(const Binned& binned, MomentPacket* tables)
{
    alignas(64) MomentPacket packets[kMomentLanes];
    makePackets<Bytes>(binned, packets);
    char* const begin = reinterpret_cast<char*>(tables);
#pragma GCC unroll 16
    for (int lane = 0; lane < kMomentLanes; ++lane) {
        float* const bin = reinterpret_cast<float*>(begin + binned.offset[lane]);
        const float* const packet = &packets[packetOf<Vectors<Bytes>::kLanes>(lane)].count;
        _mm_store_ps(bin, _mm_add_ps(_mm_load_ps(bin), _mm_load_ps(packet)));
    }
}

/// All four floats at once: a vector could not be read back soon from three single stores.
QS_KERNEL_BODY void addScalar(MomentPacket& slot, float place)
{
    const __m128 packet = _mm_setr_ps(1.0F, place, place * place, 0.0F);
    _mm_store_ps(&slot.count, _mm_add_ps(_mm_load_ps(&slot.count), packet));
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

template<int Bytes>
QS_KERNEL_BODY void binColumnsBody(
    const float* packed, std::int64_t rows, const float* scales, std::int32_t mask, MomentPacket* tables)
{
    alignas(64) float scale[kMomentLanes];
    alignas(64) std::int32_t first[kMomentLanes];
    for (int lane = 0; lane < kMomentLanes; ++lane) {
        scale[lane] = scales[lane];
        first[lane] = lane * (mask + 1);
    }
    Binned binned;
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* source = packed + row * kMomentLanes;
        for (int lane = 0; lane < kMomentLanes; ++lane) {
            const float position = source[lane] * scale[lane];
            const float bin = std::floor(position);
            const float place = position - bin;
            binned.offset[lane] = bytesOf((static_cast<std::int32_t>(bin) & mask) + first[lane]);
            binned.place[lane] = place;
            binned.square[lane] = place * place;
        }
        addBinned<Bytes>(binned, tables);
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

template<int Bytes>
QS_KERNEL_BODY void binRowsBody(const float* values, std::int64_t stride, std::int64_t rows,
    std::int64_t width, float scale, std::int32_t mask, MomentPacket* tables)
{
    alignas(64) std::int32_t first[kMomentLanes];
    for (int lane = 0; lane < kMomentLanes; ++lane) {
        first[lane] = (lane % kMomentTables) * (mask + 1);
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
                binned.offset[lane] = bytesOf((static_cast<std::int32_t>(bin) & mask) + first[lane]);
                binned.place[lane] = place;
                binned.square[lane] = place * place;
            }
            addBinned<Bytes>(binned, tables);
        }
        for (std::int64_t column = body; column < width; ++column) {
            binLinear(source[column], scale, mask, tables + first[column % kMomentTables]);
        }
    }
}

/// Slots and places of one register of values on logarithmic bins. Written with the compiler's vectors: it
/// would make branches of the choices otherwise.
template<int Bytes>
QS_KERNEL_BODY void placeLog2(const float* source, const std::int32_t* first, Binned& binned, int lane)
{
    using Floats = typename Vectors<Bytes>::Floats;
    using Integers = typename Vectors<Bytes>::Integers;
    Floats value;
    Integers bits;
    Integers table;
    std::memcpy(&value, source + lane, Bytes);
    std::memcpy(&bits, source + lane, Bytes);
    std::memcpy(&table, first + lane, Bytes);
    const Integers raw = (bits >> kLog2MantissaBits) - (kLog2Base - 1);
    const Integers top = Integers {} + (kLog2Slots - 1);
    const Integers capped = raw < top ? raw : top;
    const Integers slot = capped > 0 ? capped : Integers {};
    const Integers rest = bits & kRestMask;
    const Floats place = raw > 0 ? __builtin_convertvector(rest, Floats) * kRestScale : value;
    const Floats square = place * place;
    const Integers offset = (slot + table) * static_cast<std::int32_t>(sizeof(MomentPacket));
    std::memcpy(binned.place + lane, &place, Bytes);
    std::memcpy(binned.square + lane, &square, Bytes);
    std::memcpy(binned.offset + lane, &offset, Bytes);
}

template<int Bytes>
QS_KERNEL_BODY void binRowsLog2Body(
    const float* values, std::int64_t stride, std::int64_t rows, std::int64_t width, MomentPacket* tables)
{
    alignas(64) std::int32_t first[kMomentLanes];
    for (int lane = 0; lane < kMomentLanes; ++lane) {
        first[lane] = (lane % kMomentTables) * kLog2Slots;
    }
    const std::int64_t body = width - width % kMomentLanes;
    Binned binned;
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* source = values + row * stride;
        for (std::int64_t column = 0; column < body; column += kMomentLanes) {
            for (int lane = 0; lane < kMomentLanes; lane += Vectors<Bytes>::kLanes) {
                placeLog2<Bytes>(source + column, first, binned, lane);
            }
            addBinned<Bytes>(binned, tables);
        }
        for (std::int64_t column = body; column < width; ++column) {
            binLogarithmic(source[column], tables + first[column % kMomentTables]);
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
        binColumnsBody<BYTES>(packed, rows, scales, mask, tables);                                           \
    }                                                                                                        \
    TARGET bool rowRange##NAME(const float* values, std::int64_t stride, std::int64_t rows,                  \
        std::int64_t width, float* low, float* high)                                                         \
    {                                                                                                        \
        return rowRangeBody<BYTES>(values, stride, rows, width, low, high);                                  \
    }                                                                                                        \
    TARGET void binRows##NAME(const float* values, std::int64_t stride, std::int64_t rows,                   \
        std::int64_t width, float scale, std::int32_t mask, MomentPacket* tables)                            \
    {                                                                                                        \
        binRowsBody<BYTES>(values, stride, rows, width, scale, mask, tables);                                \
    }                                                                                                        \
    TARGET void binRowsLog2##NAME(const float* values, std::int64_t stride, std::int64_t rows,               \
        std::int64_t width, MomentPacket* tables)                                                            \
    {                                                                                                        \
        binRowsLog2Body<BYTES>(values, stride, rows, width, tables);                                         \
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
