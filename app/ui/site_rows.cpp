#include "app/ui/site_rows.h"

#include <algorithm>

namespace qs {

SiteRow siteRow(const Session& session, const Site& site)
{
    SiteRow row;
    row.name = QString::fromStdString(site.name);
    row.block = QString::fromStdString(site.block);
    row.layer = QString::fromStdString(site.layer);
    row.role = site.role;
    row.kind = site.kind;
    row.groupAxis = site.groupAxis;
    row.groups = site.groups;
    if (const auto& form = session.form()) {
        const auto& shifts = form->rewriting.shifts;
        const auto shift = std::ranges::find(shifts, site.name, &ActivationShift::site);
        row.shift = shift != shifts.end() ? shift->amount : 0.0;
    }
    row.choice = session.choice(site.name);
    if (const auto& errors = session.siteErrors(); errors.value && row.choice.enabled) {
        if (const auto found = errors.value->find(site.name); found != errors.value->end()) {
            row.sqnrDb = found->second.sqnrDb();
            row.state = session.isErrorFresh(site.name) ? ResultState::Live : ResultState::Stale;
        }
    }
    if (const auto& results = session.sensitivity().value) {
        const auto found = std::ranges::find_if(*results, [&](const SiteSensitivity& result) {
            return result.site == site.name && (result.bits == row.choice.bits || !row.choice.enabled);
        });
        if (found != results->end()) {
            row.klNats = found->klNats;
        }
    }
    if (const auto& times = session.siteTimes()) {
        if (const auto found = times->find(site.name); found != times->end()) {
            row.milliseconds = 1e3 * found->second;
        }
    }
    return row;
}

std::vector<SiteRow> siteRows(const Session& session)
{
    std::vector<SiteRow> rows;
    if (session.model()) {
        for (const Site& site : session.model()->sites) {
            rows.push_back(siteRow(session, site));
        }
    }
    return rows;
}

} // namespace qs
