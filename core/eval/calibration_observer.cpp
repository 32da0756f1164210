#include "core/eval/calibration_observer.h"

namespace qs {

CalibrationObserver::CalibrationObserver(const std::vector<Site>& sites)
    : m_accumulators(sites.size())
{
    for (std::size_t i = 0; i < sites.size(); ++i) {
        const Site& site = sites[i];
        if (site.kind == SiteKind::Activation) {
            m_accumulators[i]
                = std::make_unique<SiteAccumulator>(site.name, site.groupAxis, site.role, site.groups);
        }
    }
}

bool CalibrationObserver::wants(int site) const
{
    return m_accumulators[static_cast<std::size_t>(site)] != nullptr;
}

void CalibrationObserver::observe(int site, const ActivationView& view)
{
    m_accumulators[static_cast<std::size_t>(site)]->observe(view);
}

std::map<std::string, std::shared_ptr<const SiteStatistics>> CalibrationObserver::finish() const
{
    std::map<std::string, std::shared_ptr<const SiteStatistics>> sites;
    for (const auto& accumulator : m_accumulators) {
        if (accumulator) {
            auto statistics = accumulator->finish();
            sites[statistics->site] = statistics;
        }
    }
    return sites;
}

} // namespace qs
