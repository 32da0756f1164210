#include "core/eval/calibration_observer.h"

#include "core/base/parallel.h"

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

std::map<std::string, std::shared_ptr<const SiteStatistics>> CalibrationObserver::finish()
{
    std::vector<std::shared_ptr<const SiteStatistics>> found(m_accumulators.size());
    parallelFor(static_cast<std::int64_t>(found.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
            if (m_accumulators[i]) {
                found[i] = m_accumulators[i]->finish();
                m_accumulators[i].reset();
            }
        }
    });
    std::map<std::string, std::shared_ptr<const SiteStatistics>> sites;
    for (auto& statistics : found) {
        if (statistics) {
            sites[statistics->site] = std::move(statistics);
        }
    }
    return sites;
}

} // namespace qs
