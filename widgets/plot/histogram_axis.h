#pragma once

#include "core/quant/quantizer.h"
#include "core/stats/histogram.h"

#include <optional>

namespace qs {

enum class AxisScale { Linear, Log };

/// Which part of the value axis a histogram may show. A value, made of what is shown.
struct HistogramAxis
{
    const Histogram* histogram = nullptr; ///< may be null
    Bounds values; ///< smallest and largest value
    std::optional<double> lowerBound {}; ///< lines that must be in sight
    std::optional<double> upperBound {};
    AxisScale scale = AxisScale::Linear;

    /// Everything, with a margin.
    [[nodiscard]] Bounds full() const;
    /// Where a logarithmic axis begins: at the lowest bin that holds anything above 0.
    [[nodiscard]] double lowestPositive() const;
    /// The nearest range to the wanted one in which half of the view stays on the values and bins stay
    /// narrower than the view.
    [[nodiscard]] Bounds constrained(Bounds wanted) const;
};

} // namespace qs
