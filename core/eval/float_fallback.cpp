#include "core/eval/float_fallback.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

/// Noise power relative to the signal.
double noiseOf(const SiteSensitivity& result)
{
    return std::pow(10.0, -result.logitsSqnrDb / 10.0);
}

} // namespace

FloatFallback fallBackToFloat(
    const Plan& plan, const std::vector<SiteSensitivity>& sensitivities, double targetDb)
{
    FloatFallback result;
    result.plan = plan;
    double noise = 0.0;
    std::vector<const SiteSensitivity*> candidates;
    for (const SiteSensitivity& each : sensitivities) {
        const SiteChoice* choice = plan.find(each.site);
        if (choice == nullptr || !choice->enabled) {
            continue;
        }
        noise += noiseOf(each);
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
        noise -= noiseOf(*each);
        result.plan.choices.at(each->site).enabled = false;
        result.sites.push_back(each->site);
    }
    result.predictedSqnrDb
        = noise > 0.0 ? -10.0 * std::log10(noise) : std::numeric_limits<double>::infinity();
    return result;
}

} // namespace qs
