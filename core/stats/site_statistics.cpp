#include "core/stats/site_statistics.h"

#include <algorithm>

namespace qs {

std::uint64_t SiteStatistics::count() const
{
    std::uint64_t total = 0;
    for (const GroupStatistics& group : groups) {
        total += group.count;
    }
    return total;
}

float SiteStatistics::minimum() const
{
    bool any = false;
    float result = 0.0F;
    for (const GroupStatistics& group : groups) {
        if (group.count > 0) {
            result = any ? std::min(result, group.minimum) : group.minimum;
            any = true;
        }
    }
    return result;
}

float SiteStatistics::maximum() const
{
    bool any = false;
    float result = 0.0F;
    for (const GroupStatistics& group : groups) {
        if (group.count > 0) {
            result = any ? std::max(result, group.maximum) : group.maximum;
            any = true;
        }
    }
    return result;
}

double SiteStatistics::sumOfSquares() const
{
    double total = 0.0;
    for (const GroupStatistics& group : groups) {
        total += group.sumOfSquares;
    }
    return total;
}

Histogram SiteStatistics::tensorHistogram(std::size_t maxBins) const
{
    std::vector<const Histogram*> parts;
    parts.reserve(groups.size());
    for (const GroupStatistics& group : groups) {
        parts.push_back(&group.histogram);
    }
    return merged(parts, maxBins);
}

std::shared_ptr<const SiteStatistics> Calibration::find(const std::string& site) const
{
    const auto found = sites.find(site);
    return found == sites.end() ? nullptr : found->second;
}

} // namespace qs
