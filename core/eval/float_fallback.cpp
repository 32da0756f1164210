#include "core/eval/float_fallback.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace qs {

namespace {

/// Noise power relative to the signal.
double noiseOf(const SiteSensitivity& result)
{
    return std::pow(10.0, -result.logitsSqnrDb / 10.0);
}

/// The site and, for a linear or convolution input, the weights of the nodes that read it.
std::vector<std::string> unitOf(const std::vector<Site>& sites, const std::string& name)
{
    std::vector<std::string> unit {name};
    const int index = indexOfSite(sites, name);
    if (index < 0) {
        return unit;
    }
    for (const auto& [node, input] : sites[static_cast<std::size_t>(index)].readers) {
        for (const Site& other : sites) {
            if (other.kind == SiteKind::Weight && !other.readers.empty()
                && other.readers.front().first == node) {
                unit.push_back(other.name);
            }
        }
    }
    return unit;
}

} // namespace

FloatFallback fallBackToFloat(const std::vector<Site>& sites, const Plan& plan,
    const std::vector<SiteSensitivity>& sensitivities, double targetDb)
{
    FloatFallback result;
    result.plan = plan;
    double noise = 0.0;
    std::map<std::string, double> noiseOfSite;
    std::vector<const SiteSensitivity*> candidates;
    for (const SiteSensitivity& each : sensitivities) {
        const SiteChoice* choice = plan.find(each.site);
        if (choice == nullptr || !choice->enabled || choice->bits != each.bits) {
            continue;
        }
        noise += noiseOf(each);
        noiseOfSite[each.site] = noiseOf(each);
        if (each.kind == SiteKind::Activation) {
            candidates.push_back(&each);
        }
    }
    std::ranges::stable_sort(candidates, {}, &SiteSensitivity::logitsSqnrDb);
    const double limit = std::pow(10.0, -targetDb / 10.0);
    for (const SiteSensitivity* each : candidates) {
        if (noise <= limit) {
            break;
        }
        for (const std::string& name : unitOf(sites, each->site)) {
            const auto choice = result.plan.choices.find(name);
            if (choice != result.plan.choices.end() && choice->second.enabled) {
                choice->second.enabled = false;
                noise -= noiseOfSite[name];
            }
        }
        result.sites.push_back(each->site);
    }
    result.predictedSqnrDb
        = noise > 0.0 ? -10.0 * std::log10(noise) : std::numeric_limits<double>::infinity();
    return result;
}

} // namespace qs
