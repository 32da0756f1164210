#include "widgets/plot/channel_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace qs {

std::vector<int> channelOrder(
    const SiteStatistics& statistics, ChannelOrder order, const std::vector<double>& errors)
{
    std::vector<int> channels(statistics.groups.size());
    std::iota(channels.begin(), channels.end(), 0);
    if (order == ChannelOrder::Index || (order == ChannelOrder::Error && errors.size() != channels.size())) {
        return channels;
    }
    std::vector<double> keys(channels.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const double lower = static_cast<double>(statistics.groups[i].minimum);
        const double upper = static_cast<double>(statistics.groups[i].maximum);
        switch (order) {
        case ChannelOrder::Range: keys[i] = upper - lower; break;
        case ChannelOrder::Magnitude: keys[i] = std::max(std::abs(lower), std::abs(upper)); break;
        case ChannelOrder::Error: keys[i] = std::isnan(errors[i]) ? -1.0 : errors[i]; break;
        case ChannelOrder::Index: break;
        }
    }
    std::stable_sort(channels.begin(), channels.end(), [&keys](int a, int b) {
        return keys[static_cast<std::size_t>(a)] > keys[static_cast<std::size_t>(b)];
    });
    return channels;
}

} // namespace qs
