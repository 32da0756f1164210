#include "core/stats/moment_kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace qs {

namespace {

// The bodies below are compiled once per instruction set: they are inlined into wrappers with a target
// attribute.
#define QS_KERNEL_BODY static inline __attribute__((always_inline))

constexpr int kRowsAhead = 12; ///< a column kernel's rows lie too far apart for the processor to foresee them
/// A kernel adds packets or takes the same packets away again: sums of integers, so that even what values
/// that are not finite left behind disappears.
enum class Direction { Add, TakeBack };
constexpr std::int32_t kAbsoluteMask = 0x7FFFFFFF;
constexpr std::int32_t kInfinityBits = 0x7F800000;
constexpr std::int32_t kRestMask = (1 << kLog2MantissaBits) - 1;
constexpr int kRestShift = kLog2MantissaBits - kPlaceBits;
constexpr std::int32_t kHalfRest = 1 << (kRestShift - 1);

/// What 16 values add to which slots, from the tables' begin.
struct alignas(64) Binned
{
    MomentPacket packets[kMomentLanes]; ///< in the order of packetOf()
    std::int32_t slots[kMomentLanes];
};

constexpr std::int32_t kOneValue = 1 << kPacketSumBits;
constexpr float kPlacesOfBin = static_cast<float>(kPlaces);

/// The compiler's vectors of `Bytes` bytes: one register of the instruction set.
template<int Bytes>
struct Vectors
{
    using Floats [[gnu::vector_size(Bytes)]] = float;
    using Integers [[gnu::vector_size(Bytes)]] = std::int32_t;
    static constexpr int kLanes = Bytes / static_cast<int>(sizeof(float));
};

/// Lanes of a and b in turns, from each four the first (Half 0) or last (1) two: a0 b0 a1 b1 | a4 b4 a5 b5
/// ...
template<int Half, typename Integers, int... Lane>
QS_KERNEL_BODY void interleave(
    const Integers& a, const Integers& b, Integers& result, std::integer_sequence<int, Lane...>)
{
    constexpr int kLanes = sizeof...(Lane);
    result = __builtin_shufflevector(
        a, b, (Lane / 4 * 4 + 2 * Half + Lane % 4 / 2 + (Lane % 2 == 0 ? 0 : kLanes))...);
}

/// Where putBinned() leaves the packet of a lane.
template<int Lanes>
constexpr int packetOf(int lane)
{
    return lane / Lanes * Lanes + lane % 4 / 2 * (Lanes / 2) + lane % Lanes / 4 * 2 + lane % 2;
}

/// The packets and slots of one register of values, lanes from `lane` on.
template<int Bytes, typename Integers = typename Vectors<Bytes>::Integers>
QS_KERNEL_BODY void putBinned(Binned& binned, int lane, const Integers& slots, const Integers& places)
{
    constexpr std::make_integer_sequence<int, Vectors<Bytes>::kLanes> kSequence {};
    const Integers squares = places * places;
    const Integers counted = places + kOneValue;
    Integers halves[2];
    interleave<0>(squares, counted, halves[0], kSequence);
    interleave<1>(squares, counted, halves[1], kSequence);
    std::memcpy(binned.slots + lane, &slots, Bytes);
    std::memcpy(binned.packets + lane, halves, sizeof halves);
}

/// Adds the packets of lanes [0, lanes) to their bins, two lanes at a time: their slots come in one load.
template<Direction To, int Bytes>
QS_KERNEL_BODY void moveBinned(const Binned& binned, MomentPacket* tables, int lanes = kMomentLanes)
{
    const auto signedPacket = [&](int lane) {
        const MomentPacket packet = binned.packets[packetOf<Vectors<Bytes>::kLanes>(lane)];
        return To == Direction::Add ? packet : -packet;
    };
#pragma GCC unroll 8
    for (int lane = 0; lane + 1 < lanes; lane += 2) {
        std::uint64_t slots = 0;
        std::memcpy(&slots, binned.slots + lane, sizeof slots);
        tables[static_cast<std::uint32_t>(slots)] += signedPacket(lane);
        tables[slots >> 32] += signedPacket(lane + 1);
    }
    if (lanes % 2 != 0) {
        tables[static_cast<std::uint32_t>(binned.slots[lanes - 1])] += signedPacket(lanes - 1);
    }
}

/// put(binned) for one group of 16 values after the other, and what it put there to the bins. A group waits
/// for the arithmetic and for its way through memory; the work of the next groups fills that time.
template<Direction To, int Bytes, typename Put>
QS_KERNEL_BODY void moveGroups(std::int64_t groups, MomentPacket* tables, const Put& put)
{
    constexpr std::int64_t kRing = 4;
    constexpr std::int64_t kAhead = kRing - 1;
    Binned ring[kRing];
    for (std::int64_t group = 0; group < groups + kAhead; ++group) {
        if (group < groups) {
            Binned& binned = ring[group % kRing];
            put(binned);
            asm("" : "+m"(binned)); // read back from memory: cheaper than taking registers apart
        }
        if (group >= kAhead) {
            moveBinned<To, Bytes>(ring[(group - kAhead) % kRing], tables);
        }
    }
}

/// Slots and places of one register of values on linear bins. Written with the compiler's vectors: it would
/// take the loop apart otherwise.
template<int Bytes, typename Floats = typename Vectors<Bytes>::Floats,
    typename Integers = typename Vectors<Bytes>::Integers>
QS_KERNEL_BODY void placeLinear(const Floats& value, const Floats& scale, const Integers& table,
    std::int32_t mask, Binned& binned, int lane)
{
    const Floats position = value * scale;
    const Integers truncated = __builtin_convertvector(position, Integers);
    const Floats edge = __builtin_convertvector(truncated, Floats);
    const Integers isAbove = edge > position; // -1: the bin is the one below
    const Floats half = isAbove ? Floats {} + (kPlacesOfBin + 0.5F) : Floats {} + 0.5F;
    const Floats place = (position - edge) * kPlacesOfBin + half;
    putBinned<Bytes>(
        binned, lane, ((truncated + isAbove) & mask) + table, __builtin_convertvector(place, Integers));
}

QS_KERNEL_BODY void addScalar(MomentPacket& slot, std::int32_t place)
{
    slot += static_cast<std::uint64_t>(place + kOneValue) << 32 | static_cast<std::uint64_t>(place * place);
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

template<int Bytes, typename Floats = typename Vectors<Bytes>::Floats>
QS_KERNEL_BODY void take(LaneRange<Bytes>& range, const Floats& value)
{
    typename Vectors<Bytes>::Integers magnitude;
    std::memcpy(&magnitude, &value, Bytes);
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
    constexpr std::size_t kRegisters = kMomentLanes / kLanes;
    LaneRange<Bytes> ranges[kRegisters];
    for (std::int64_t row = 0; row < rows; ++row) {
        __builtin_prefetch(values + (row + kRowsAhead) * stride);
        for (std::size_t i = 0; i < kRegisters; ++i) {
            typename Vectors<Bytes>::Floats value;
            std::memcpy(&value, values + row * stride + i * kLanes, Bytes);
            std::memcpy(packed + row * kMomentLanes + i * kLanes, &value, Bytes);
            take(ranges[i], value);
        }
    }
    std::int32_t largest = 0;
    for (std::size_t i = 0; i < kRegisters; ++i) {
        std::memcpy(minimum + i * kLanes, &ranges[i].low, Bytes);
        std::memcpy(maximum + i * kLanes, &ranges[i].high, Bytes);
        for (int lane = 0; lane < kLanes; ++lane) {
            largest = std::max(largest, ranges[i].largest[lane]);
        }
    }
    return largest < kInfinityBits;
}

template<int Bytes>
QS_KERNEL_BODY void binColumnsBody(
    const float* packed, std::int64_t rows, const float* scales, std::int32_t mask, MomentPacket* tables)
{
    constexpr int kLanes = Vectors<Bytes>::kLanes;
    constexpr std::size_t kRegisters = kMomentLanes / kLanes;
    typename Vectors<Bytes>::Floats scale[kRegisters];
    typename Vectors<Bytes>::Integers table[kRegisters];
    std::int32_t first[kMomentLanes];
    for (int lane = 0; lane < kMomentLanes; ++lane) {
        first[lane] = lane * (mask + 1);
    }
    std::memcpy(scale, scales, sizeof scale);
    std::memcpy(table, first, sizeof table);
    const float* next = packed;
    moveGroups<Direction::Add, Bytes>(
        rows, tables, [&](Binned & binned) __attribute__((always_inline)) {
            for (std::size_t i = 0; i < kRegisters; ++i) {
                typename Vectors<Bytes>::Floats value;
                std::memcpy(&value, next + i * kLanes, Bytes);
                placeLinear<Bytes>(value, scale[i], table[i], mask, binned, static_cast<int>(i) * kLanes);
            }
            next += kMomentLanes;
        });
}

/// Slots and places of one register of values on logarithmic bins.
template<int Bytes, typename Floats = typename Vectors<Bytes>::Floats,
    typename Integers = typename Vectors<Bytes>::Integers>
QS_KERNEL_BODY void placeLog2(const Floats& value, const Integers& table, Binned& binned, int lane)
{
    Integers bits;
    std::memcpy(&bits, &value, Bytes);
    const Integers raw = (bits >> kLog2MantissaBits) - (kLog2Base - 1);
    const Integers top = Integers {} + (kLog2Slots - 1);
    const Integers capped = raw < top ? raw : top;
    const Integers slot = (capped > 0 ? capped : Integers {}) + table;
    const Integers rounded = ((bits & kRestMask) + kHalfRest) >> kRestShift;
    putBinned<Bytes>(binned, lane, slot, rounded & (raw > 0));
}

/// Rows on one grid for all columns: place(value, binned, lane) fills a register's part of `binned`. The last
/// columns of a row are followed by its first value, so that they fill a register without changing the range.
template<Direction To, int Bytes, typename Place>
QS_KERNEL_BODY bool rowsBody(const float* values, std::int64_t stride, std::int64_t rows, std::int64_t width,
    MomentPacket* tables, float* minimum, float* maximum, const Place& place)
{
    constexpr int kLanes = Vectors<Bytes>::kLanes;
    if (stride == width) { // dense rows are one long row
        width *= rows;
        rows = 1;
    }
    const std::int64_t body = width - width % kMomentLanes;
    LaneRange<Bytes> range;
    const auto putGroup = [&](const float* source, Binned& binned) __attribute__((always_inline))
    {
        for (int lane = 0; lane < kMomentLanes; lane += kLanes) {
            typename Vectors<Bytes>::Floats value;
            std::memcpy(&value, source + lane, Bytes);
            take(range, value);
            place(value, binned, lane);
        }
    };
    const float* next = values;
    std::int64_t column = 0;
    moveGroups<To, Bytes>(
        rows * (body / kMomentLanes), tables, [&](Binned & binned) __attribute__((always_inline)) {
            putGroup(next, binned);
            next += kMomentLanes;
            column += kMomentLanes;
            if (column == body) {
                column = 0;
                next += stride - body;
            }
        });
    for (std::int64_t row = 0; row < rows && body < width; ++row) {
        const float* source = values + row * stride;
        float rest[kMomentLanes];
        std::fill_n(rest, kMomentLanes, source[0]);
        std::memcpy(rest, source + body, static_cast<std::size_t>(width - body) * sizeof(float));
        Binned binned;
        putGroup(rest, binned);
        moveBinned<To, Bytes>(binned, tables, static_cast<int>(width - body));
    }
    float low = range.low[0];
    float high = range.high[0];
    std::int32_t largest = range.largest[0];
    for (int lane = 1; lane < kLanes; ++lane) {
        low = std::min(low, range.low[lane]);
        high = std::max(high, range.high[lane]);
        largest = std::max(largest, range.largest[lane]);
    }
    *minimum = low;
    *maximum = high;
    return largest < kInfinityBits;
}

/// The tables' begins by lane: column c goes to table c % kMomentTables.
template<int Bytes>
QS_KERNEL_BODY void setTablesInTurns(typename Vectors<Bytes>::Integers& table, std::int32_t size)
{
    for (int lane = 0; lane < Vectors<Bytes>::kLanes; ++lane) {
        table[lane] = (lane % kMomentTables) * size;
    }
}

template<Direction To, int Bytes>
QS_KERNEL_BODY bool linearRowsBody(const float* values, std::int64_t stride, std::int64_t rows,
    std::int64_t width, float scale, std::int32_t mask, MomentPacket* tables, float* minimum, float* maximum)
{
    const typename Vectors<Bytes>::Floats scales = typename Vectors<Bytes>::Floats {} + scale;
    typename Vectors<Bytes>::Integers table;
    setTablesInTurns<Bytes>(table, mask + 1);
    return rowsBody<To, Bytes>(
        values, stride, rows, width, tables, minimum,
        maximum, [&](const auto& value, Binned& binned, int lane) __attribute__((always_inline)) {
            placeLinear<Bytes>(value, scales, table, mask, binned, lane);
        });
}

template<Direction To, int Bytes>
QS_KERNEL_BODY bool log2RowsBody(const float* values, std::int64_t stride, std::int64_t rows,
    std::int64_t width, MomentPacket* tables, float* minimum, float* maximum)
{
    typename Vectors<Bytes>::Integers table;
    setTablesInTurns<Bytes>(table, kLog2Slots);
    return rowsBody<To, Bytes>(
        values, stride, rows, width, tables, minimum,
        maximum, [&](const auto& value, Binned& binned, int lane) __attribute__((always_inline)) {
            placeLog2<Bytes>(value, table, binned, lane);
        });
}

// A row kernel, both ways.
#define QS_ROW_KERNELS(NAME, WAY, BYTES, TARGET)                                                             \
    TARGET bool rows##WAY##NAME(const float* values, std::int64_t stride, std::int64_t rows,                 \
        std::int64_t width, float scale, std::int32_t mask, MomentPacket* tables, float* low, float* high)   \
    {                                                                                                        \
        return linearRowsBody<Direction::WAY, BYTES>(                                                        \
            values, stride, rows, width, scale, mask, tables, low, high);                                    \
    }                                                                                                        \
    TARGET bool rowsLog2##WAY##NAME(const float* values, std::int64_t stride, std::int64_t rows,             \
        std::int64_t width, MomentPacket* tables, float* low, float* high)                                   \
    {                                                                                                        \
        return log2RowsBody<Direction::WAY, BYTES>(values, stride, rows, width, tables, low, high);          \
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
    QS_ROW_KERNELS(NAME, Add, BYTES, TARGET)                                                                 \
    QS_ROW_KERNELS(NAME, TakeBack, BYTES, TARGET)                                                            \
    constexpr MomentKernels k##NAME {columnRange##NAME, binColumns##NAME, rowsAdd##NAME, rowsTakeBack##NAME, \
        rowsLog2Add##NAME, rowsLog2TakeBack##NAME};

QS_KERNEL_SET(Baseline, 16, )
QS_KERNEL_SET(Avx2, 32, __attribute__((target("avx2"))))
QS_KERNEL_SET(
    Avx512, 64, __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512"))))

#undef QS_KERNEL_SET
#undef QS_ROW_KERNELS
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

std::int64_t boundOn(std::span<const MomentPacket> packets)
{
    constexpr std::size_t kAtOnce = 8; // sums that do not wait for each other
    std::array<MomentPacket, kAtOnce> parts {};
    const std::size_t body = packets.size() - packets.size() % kAtOnce;
    for (std::size_t i = 0; i < body; i += kAtOnce) {
        for (std::size_t lane = 0; lane < kAtOnce; ++lane) {
            parts[lane] |= packets[i + lane];
        }
    }
    MomentPacket all = 0;
    for (std::size_t i = body; i < packets.size(); ++i) {
        all |= packets[i];
    }
    for (const MomentPacket part : parts) {
        all |= part;
    }
    return countIn(all);
}

void binValue(float value, float scale, std::int32_t mask, MomentPacket* table)
{
    const float position = value * scale;
    const auto truncated = static_cast<std::int32_t>(position);
    const auto edge = static_cast<float>(truncated);
    const bool isAbove = edge > position;
    const float place = (position - edge) * kPlacesOfBin + (isAbove ? kPlacesOfBin + 0.5F : 0.5F);
    addScalar(table[(truncated - (isAbove ? 1 : 0)) & mask], static_cast<std::int32_t>(place));
}

void binValueLog2(float value, MomentPacket* table)
{
    const auto bits = std::bit_cast<std::int32_t>(value);
    const std::int32_t slot = std::clamp((bits >> kLog2MantissaBits) - kLog2Base + 1, 0, kLog2Slots - 1);
    addScalar(table[slot], slot == 0 ? 0 : ((bits & kRestMask) + kHalfRest) >> kRestShift);
}

} // namespace qs
