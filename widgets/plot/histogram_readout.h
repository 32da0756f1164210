#pragma once

#include "core/stats/histogram.h"
#include "widgets/plot/bin_pyramid.h"

#include <QString>

namespace qs {

/// "0.5   count 12 (3.1 %)   squared error 0.002": what the bin at a position says; outside of the bins there
/// is nothing to count. Errors are per bin, empty where there are none.
[[nodiscard]] QString histogramReadout(const Histogram& histogram, double value, double binPosition,
    const BinPyramid& clipping, const BinPyramid& rounding);

} // namespace qs
