#pragma once

#include <cstdint>
#include <vector>

namespace qs {

/// How bin edges follow each other.
enum class BinScale {
    Linear, ///< edge(i) = (firstBin + i) * width, width a power of two
    /// For positive values over many octaves, e.g. attention probabilities. Every octave is cut into 1 /
    /// width equal parts, so that all edges are exact floats: with k = firstBin + i and o = floor(k * width),
    /// edge(i) = 2^o * (1 + k * width - o). A width of several octaves gives edge(i) = 2^(k * width).
    Log2
};

/// Counts and first two moments of the values in each of a row of adjacent bins. Bin i holds edge(i) <= x <
/// edge(i + 1). The moments make the squared error of any quantizer exact for every bin that lies inside one
/// quantization cell, up to the rounding of places (numerics.md). Invariant: counts, sums and squares have
/// the same length.
struct Histogram
{
    BinScale scale = BinScale::Linear;
    std::int64_t firstBin = 0;
    double width = 1.0; ///< a power of two; unit of the values (Linear) or octaves (Log2)
    std::vector<std::uint64_t> counts {};
    std::vector<double> sums {}; ///< sum of x per bin
    std::vector<double> squares {}; ///< sum of x^2 per bin
    std::uint64_t zeros
        = 0; ///< Log2 only: values that are exactly 0 or below the first bin (they are in no bin)

    [[nodiscard]] std::size_t size() const { return counts.size(); }
    /// Lower edge of bin `bin`; edge(size()) is the upper edge of the last one.
    [[nodiscard]] double edge(std::size_t bin) const;
    [[nodiscard]] std::uint64_t total() const; ///< all bins and zeros

    friend bool operator==(const Histogram&, const Histogram&) = default;
};

/// Value below which the fraction p in [0, 1] of the samples lies: linear interpolation at h = (n-1)p as in
/// methods.md 0.1, the samples of a bin taken as evenly spread in it, those in `zeros` as 0, the first and
/// the last as minimum and maximum, the result clamped to [minimum, maximum]. An empty histogram gives
/// `minimum`.
[[nodiscard]] double quantile(const Histogram& histogram, double p, double minimum, double maximum);

/// The histograms added up, in the order given, on the coarsest of their grids, coarsened further until at
/// most maxBins bins remain (at least two: the bins on both sides of 0 never become one). The grid depends on
/// the ranges alone, not on the order. Throws Error(InvalidArgument) when parts with bins differ in BinScale.
[[nodiscard]] Histogram merged(const std::vector<const Histogram*>& parts, std::size_t maxBins);

} // namespace qs
