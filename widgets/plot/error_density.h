#pragma once

#include "core/quant/quantizer.h"
#include "core/stats/site_statistics.h"

#include <cstdint>
#include <vector>

namespace qs {

/// Squared error per bin of a histogram for drawing, in squared tensor units; both vectors are as long as the
/// histogram. A bin lies as a whole in the part in which its mean lies.
struct ErrorDensity
{
    std::vector<double> clipping;
    std::vector<double> rounding;
};

/// Error of the quantizer of `group` in every bin, for drawing: exact from count, sum and sum of squares
/// where the bin lies in one quantization cell, else taken around the level of the bin's mean or, for bins
/// wider than the step, step^2 / 12 per sample. For figures use quantizationError(), which knows its
/// uncertainty.
[[nodiscard]] ErrorDensity errorDensity(
    const Histogram& histogram, const QuantParams& params, std::int64_t group);

/// Logarithmic quantizers: share in [0, 1] of the sum of all values that lies below the cut-off. 0 for an
/// empty sum.
[[nodiscard]] double zeroedMassShare(const Histogram& histogram, double cutoff);

/// The same for every group of a site under its quantizer, exact where bins lie in one cell; empty for
/// uniform quantizers and for sites that are no heads.
[[nodiscard]] std::vector<double> zeroedShares(const SiteStatistics& statistics, const QuantParams& params);

} // namespace qs
