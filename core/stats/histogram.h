#pragma once

#include <cstdint>
#include <vector>

namespace qs {

/// How bin edges follow each other.
enum class BinScale {
    Linear, ///< edge(i) = (firstBin + i) * width, width a power of two
    Log2 ///< edge(i) = 2^((firstBin + i) * width): for values in (0, 1], e.g. attention probabilities; width in octaves
};

/// Counts and first two moments of the values in each of a row of adjacent bins. Bin i holds edge(i) <= x < edge(i + 1).
/// The moments make the squared error of any quantizer exact for every bin that lies inside one quantization cell.
/// Invariant: counts, sums and squares have the same length.
struct Histogram
{
    BinScale scale = BinScale::Linear;
    std::int64_t firstBin = 0;
    double width = 1.0; ///< > 0; unit of the values (Linear) or octaves (Log2)
    std::vector<std::uint64_t> counts;
    std::vector<double> sums; ///< sum of x per bin
    std::vector<double> squares; ///< sum of x^2 per bin
    std::uint64_t zeros = 0; ///< Log2 only: values that are exactly 0 or below the first bin (they are in no bin)

    [[nodiscard]] std::size_t size() const { return counts.size(); }
    [[nodiscard]] double edge(std::size_t bin) const;
    [[nodiscard]] std::uint64_t total() const; ///< all bins and zeros

    friend bool operator==(const Histogram&, const Histogram&) = default;
};

/// Value below which the fraction p of the samples lies (linear interpolation at h = (n-1)p as in methods.md 0.1,
/// samples taken as evenly spread within their bin, the result clamped to [minimum, maximum]).
[[nodiscard]] double quantile(const Histogram& histogram, double p, double minimum, double maximum);

/// The histograms added up on the coarsest of their grids, coarsened further until at most maxBins bins remain. All must
/// have the same BinScale.
[[nodiscard]] Histogram merged(const std::vector<const Histogram*>& parts, std::size_t maxBins);

} // namespace qs
