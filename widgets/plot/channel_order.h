#pragma once

#include "core/stats/site_statistics.h"

#include <vector>

namespace qs {

/// How channels follow each other in the channel map; all but Index from the largest down.
enum class ChannelOrder {
    Index,
    Range, ///< maximum - minimum
    Magnitude, ///< max |x|
    Error ///< squared error under the present quantizer
};

/// Channels in the order to show them: a permutation of 0 .. groups - 1; ties keep the index order. `errors`
/// has one entry per group or is empty, which counts as all equal.
[[nodiscard]] std::vector<int> channelOrder(
    const SiteStatistics& statistics, ChannelOrder order, const std::vector<double>& errors);

} // namespace qs
