#pragma once

#include "core/stats/histogram.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qs {

/// Running content of one bin: how many values and the sums of t and t^2, where t in [0, 1) is a value's
/// place between the bin's edges. Kept this way because it loses nothing when bins are far from 0, and pairs
/// of bins merge exactly.
struct BinMoments
{
    double count = 0.0;
    double sum = 0.0;
    double squares = 0.0;
};

/// The linear grid of a group: width 2^exponent, and the first bin in use.
struct ValueGrid
{
    int exponent = 0;
    std::int64_t first = 0;
    std::int64_t last = 0;

    [[nodiscard]] double width() const;
};

/// The finest grid on which [minimum, maximum] touches at most `bins` bins and bins are no narrower than the
/// spacing of floats at the larger magnitude (never below 2^-126): it depends on the range alone, so that the
/// order in which values arrive does not matter. Precondition: finite, minimum <= maximum, bins >= 2.
[[nodiscard]] ValueGrid gridFor(float minimum, float maximum, std::int64_t bins);
/// The bins that [minimum, maximum] touches at a given width.
[[nodiscard]] ValueGrid gridOfWidth(float minimum, float maximum, int exponent);

/// Adds the bins of `source`, first at bin number `firstSource` of a grid of width 2^exponent, to `target`,
/// whose first is bin number `firstTarget` of a grid 2^steps times as wide; both are rings: bin k lies at k
/// modulo their size.
void addCoarsened(
    std::span<BinMoments> target, std::span<const BinMoments> source, const ValueGrid& sourceGrid, int steps);

/// Sets bin `bin` of a histogram whose grid is set: sum x = edge * count + step * sum t, and likewise for
/// x^2. The sums of t are rounded to float first (relative 6e-8, as much as they were accumulated with), so
/// that a file can hold them as floats and give the same bits again.
void setBin(Histogram& histogram, std::size_t bin, std::uint64_t count, float sum, float squares);

/// Inverse of setBin(): the floats that give this bin's sums again, bit for bit; false when there are none.
[[nodiscard]] bool placesOfBin(const Histogram& histogram, std::size_t bin, float& sum, float& squares);

} // namespace qs
