#pragma once

#include "core/eval/sensitivity.h"
#include "core/stats/site_statistics.h"

#include <QString>

#include <vector>

namespace qs {

/// Tables behind the plots, for spreadsheets and scripts: comma separated, point as decimal mark, nine
/// significant digits, one line of column names.

/// One line per bin: edges in tensor units, count, squared error by clipping and by rounding (empty where not
/// known).
[[nodiscard]] QString histogramCsv(
    const Histogram& histogram, const std::vector<double>& clipping, const std::vector<double>& rounding);
/// One line per channel or head: values, minimum, maximum, mean, standard deviation, and bounds where there
/// are any (one entry for all, or one each).
[[nodiscard]] QString channelCsv(const SiteStatistics& statistics, const std::vector<Bounds>& bounds);
/// One line per site with every figure that the chart can show.
[[nodiscard]] QString sensitivityCsv(const std::vector<SiteSensitivity>& results);

} // namespace qs
