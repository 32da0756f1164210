#pragma once

#include "core/quant/quantizer.h"
#include "core/stats/site_statistics.h"

#include <vector>

namespace qs {

/// Squared error of a quantizer on known values, as sums over all of them, in squared tensor units. A value
/// is clipped when its code saturates: round(x / s) + z lies outside the code range, or, with a logarithmic
/// quantizer, x rounds to a level above d. Everything else, zeroed values included, is rounding.
struct QuantizationError
{
    double clipping = 0.0; ///< sum of squared errors of clipped values
    double rounding = 0.0; ///< of the others
    double uncertainty
        = 0.0; ///< true total lies within total() +- uncertainty; 0 where every bin fits one cell
    double signal = 0.0; ///< sum of x^2
    std::uint64_t count = 0;
    std::uint64_t clipped = 0; ///< clipped values
    std::uint64_t zeroed = 0; ///< logarithmic: values that become 0 because they lie beyond the last code
    double mass = 0.0; ///< sum of x
    double zeroedMass
        = 0.0; ///< sum of x over the zeroed values: of attention, what no longer reaches a token

    [[nodiscard]] double total() const { return clipping + rounding; }
    [[nodiscard]] double meanSquared() const
    {
        return count == 0 ? 0.0 : total() / static_cast<double>(count);
    }
    /// 10 log10(signal / total) in dB; +infinity without error, 0 for a zero signal with error.
    [[nodiscard]] double sqnrDb() const;
    QuantizationError& operator+=(const QuantizationError& other);
    friend bool operator==(const QuantizationError&, const QuantizationError&) = default;
};

/// Error over the statistics of a site, from bin moments: exact for bins inside one cell, bounded otherwise
/// (resources/docs/numerics.md, "Error from histograms"). Throws Error(InvalidArgument) when the parameters
/// have several scales, but not one per group.
[[nodiscard]] QuantizationError quantizationError(
    const SiteStatistics& statistics, const QuantParams& params);
/// Same for one group with its own parameters.
[[nodiscard]] QuantizationError quantizationErrorOfGroup(
    const GroupStatistics& group, const QuantParams& params, std::int64_t groupIndex);

/// The error bin by bin, for drawing: both lists are as long as the histogram. Their sums are those of
/// quantizationErrorOfGroup(), except for values in Histogram::zeros.
struct BinErrors
{
    std::vector<double> clipping;
    std::vector<double> rounding;
};
[[nodiscard]] BinErrors quantizationErrorPerBin(
    const GroupStatistics& group, const QuantParams& params, std::int64_t groupIndex);

} // namespace qs
