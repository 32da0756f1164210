#pragma once

#include "widgets/models/site_row.h"

#include <QString>

namespace qs {

/// What stands in a cell of the tree of sites; columns are SiteTreeModel::Column.
[[nodiscard]] QString siteCellText(const SiteRow& row, int column);
/// What a cell says when the mouse rests on it.
[[nodiscard]] QString siteCellTip(const SiteRow& row, int column);
[[nodiscard]] QString siteColumnTitle(int column);
/// Empty where the title says it all.
[[nodiscard]] QString siteColumnTip(int column);
/// Milliseconds with three significant digits, never more than microseconds resolve.
[[nodiscard]] QString timeText(double milliseconds);

} // namespace qs
