#pragma once

#include "core/quant/quantizer.h"
#include "core/stats/site_statistics.h"

namespace qs {

/// Squared error of a quantizer on known values, as sums over all of them, in squared tensor units.
struct QuantizationError
{
    double clipping = 0.0; ///< sum of squared errors of values outside the bounds (codes saturate)
    double rounding = 0.0; ///< of values inside
    double uncertainty
        = 0.0; ///< true total lies within total() +- uncertainty; 0 where every bin fits one cell
    double signal = 0.0; ///< sum of x^2
    std::uint64_t count = 0;
    std::uint64_t clipped = 0; ///< values outside the bounds: their code saturates
    std::uint64_t zeroed = 0; ///< logarithmic quantizers: values too small for any code, which become 0
    double mass = 0.0; ///< sum of x
    double zeroedMass = 0.0; ///< sum of x over the zeroed values: with attention, the mass that is lost

    [[nodiscard]] double total() const { return clipping + rounding; }
    [[nodiscard]] double meanSquared() const
    {
        return count == 0 ? 0.0 : total() / static_cast<double>(count);
    }
    /// 10 log10(signal / total) in dB; +infinity without error, 0 for a zero signal with error.
    [[nodiscard]] double sqnrDb() const;
    QuantizationError& operator+=(const QuantizationError& other);
};

/// Error over the statistics of a site, from bin moments: exact for bins inside one cell, bounded otherwise.
[[nodiscard]] QuantizationError quantizationError(
    const SiteStatistics& statistics, const QuantParams& params);
/// Same for one group with its own parameters.
[[nodiscard]] QuantizationError quantizationErrorOfGroup(
    const GroupStatistics& group, const QuantParams& params, std::int64_t groupIndex);

} // namespace qs
