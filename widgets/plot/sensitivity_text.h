#pragma once

#include "widgets/plot/sensitivity_series.h"

#include <QString>

#include <vector>

namespace qs {

[[nodiscard]] QString displayName(SensitivityMetric metric);
/// With its unit.
[[nodiscard]] QString axisLabel(SensitivityMetric metric);
/// One line: the columns of a bar with their intervals.
[[nodiscard]] QString sensitivityReadout(const SensitivityBar& bar, SensitivityMetric metric);
/// All figures of a site, as rich text.
[[nodiscard]] QString sensitivityTip(const std::vector<SiteSensitivity>& results, const QString& site);

} // namespace qs
