#pragma once

#include "core/stats/site_statistics.h"

#include <vector>

namespace qs {

/// How values are laid out on the rows of a channel map.
enum class RowSpacing { Even, EvenInLog };

/// Rows of values and columns of channels as the channel map draws them.
struct ChannelDensity
{
    int columns = 0;
    int rows = 0;
    double lower = 0.0; ///< value at the lower edge of row 0
    double upper = 0.0; ///< value at the upper edge of the last row
    RowSpacing spacing = RowSpacing::Even;
    /// [columns, rows]: share of the channel's values in the row, in [0, 1]; the largest over the channels
    /// that fall in one column.
    std::vector<float> shares;

    [[nodiscard]] float at(int column, int row) const
    {
        return shares[static_cast<std::size_t>(column) * static_cast<std::size_t>(rows)
            + static_cast<std::size_t>(row)];
    }
};

/// What to lay out; columns and rows are upper limits, > 0.
struct ChannelDensityOptions
{
    int maximumColumns = 1024;
    int rows = 320;
    double lower = 0.0;
    double upper = 1.0;
    RowSpacing spacing = RowSpacing::Even;
};

/// Each channel's histogram spread over the rows, a bin's count in proportion to the overlap. `order` is a
/// permutation of the groups. O(groups * (bins + rows)).
[[nodiscard]] ChannelDensity channelDensity(
    const SiteStatistics& statistics, const std::vector<int>& order, const ChannelDensityOptions& options);

} // namespace qs
