#pragma once

#include <cstdint>
#include <span>

namespace qs {

/// Columns a column kernel takes at once, and the alignment of lanes in the row kernels.
inline constexpr int kMomentLanes = 16;
/// Row kernels spread neighbouring values over this many tables, so that additions to one bin need not wait
/// for each other.
inline constexpr int kMomentTables = 2;

/// Logarithmic bins for probabilities: the octaves [2^-32, 2) cut into 16 equal parts. Slot 0 is for zeros
/// and whatever lies below the first bin, the last slot takes whatever lies above.
inline constexpr int kLog2PartBits = 4;
inline constexpr int kLog2MantissaBits = 23 - kLog2PartBits;
inline constexpr int kLog2LowestOctave = -32;
inline constexpr int kLog2HighestOctave = 0;
/// Bits of a float above its mantissa's rest, for 2^kLog2LowestOctave.
inline constexpr std::int32_t kLog2Base = (127 + kLog2LowestOctave) << kLog2PartBits;
inline constexpr int kLog2Slots = ((kLog2HighestOctave + 1 - kLog2LowestOctave) << kLog2PartBits) + 1;

/// One bin while values arrive, in one integer: a place t inside the bin is rounded to T = floor(1024 t +
/// 1/2), 0 <= T <= 1024; bits 0 to 31 hold the sum of T^2, 32 to 52 the sum of T, 53 to 63 the number of
/// values. The owner empties it into doubles before it holds more than kMostInPacket. Integers: the sums do
/// not depend on the order of the values.
using MomentPacket = std::uint64_t;

inline constexpr int kPlaceBits = 10;
inline constexpr std::int32_t kPlaces = 1 << kPlaceBits;
inline constexpr std::int64_t kMostInPacket = 2047;
inline constexpr int kPacketSumBits = 21;

/// Values in a packet.
[[nodiscard]] constexpr std::int64_t countIn(MomentPacket packet)
{
    return static_cast<std::int64_t>(packet >> (32 + kPacketSumBits));
}
/// Sum of T.
[[nodiscard]] constexpr std::int64_t placesIn(MomentPacket packet)
{
    return static_cast<std::int64_t>(packet >> 32) & ((1 << kPacketSumBits) - 1);
}
/// Sum of T^2.
[[nodiscard]] constexpr std::int64_t squaresIn(MomentPacket packet)
{
    return static_cast<std::int64_t>(packet & 0xFFFFFFFFU);
}
/// No packet holds more values than this, which is less than twice the most in any.
[[nodiscard]] std::int64_t boundOn(std::span<const MomentPacket> packets);

/// The inner loops of the statistics for one instruction set. All sets give the same bits: every step is a
/// single correctly rounded operation or on integers. Of a finite x on bins of width w = 1 / scale, a power
/// of two: y = x * scale, bin k = floor(y), t = y - k. Bin k has slot k & mask, which is unique while at most
/// mask + 1 adjacent bins are in use.
struct MomentKernels
{
    /// Copies rows x 16 floats, `stride` floats apart, to `packed` and finds each column's smallest and
    /// largest value (zeros of either sign; meaningless when the result is false). True when all values are
    /// finite.
    bool (*columnRange)(const float* values, std::int64_t stride, std::int64_t rows, float* packed,
        float* minimum, float* maximum);
    /// Adds packed rows x 16 floats to 16 tables of mask + 1 slots each.
    void (*binColumns)(
        const float* packed, std::int64_t rows, const float* scales, std::int32_t mask, MomentPacket* tables);
    /// Adds rows x width floats, width >= 1, to kMomentTables tables of mask + 1 slots each, and finds their
    /// smallest and largest (meaningless when the result is false). True when all are finite. Where they are
    /// not, or do not fit the bins, takeBackRows with the same arguments takes away what was added.
    bool (*addRows)(const float* values, std::int64_t stride, std::int64_t rows, std::int64_t width,
        float scale, std::int32_t mask, MomentPacket* tables, float* minimum, float* maximum);
    bool (*takeBackRows)(const float* values, std::int64_t stride, std::int64_t rows, std::int64_t width,
        float scale, std::int32_t mask, MomentPacket* tables, float* minimum, float* maximum);
    /// The same on logarithmic bins: kMomentTables tables of kLog2Slots slots. In slot 0, t is 0.
    bool (*addRowsLog2)(const float* values, std::int64_t stride, std::int64_t rows, std::int64_t width,
        MomentPacket* tables, float* minimum, float* maximum);
    bool (*takeBackRowsLog2)(const float* values, std::int64_t stride, std::int64_t rows, std::int64_t width,
        MomentPacket* tables, float* minimum, float* maximum);
};

enum class InstructionSet { Baseline, Avx2, Avx512 };

[[nodiscard]] bool isSupported(InstructionSet set);
/// Precondition: isSupported(set).
[[nodiscard]] const MomentKernels& momentKernels(InstructionSet set);
/// The widest set of this processor.
[[nodiscard]] const MomentKernels& momentKernels();

/// One value on linear bins, any instruction set: what the kernels do. Precondition: finite.
void binValue(float value, float scale, std::int32_t mask, MomentPacket* table);
/// One value on logarithmic bins.
void binValueLog2(float value, MomentPacket* table);

} // namespace qs
