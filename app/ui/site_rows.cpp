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
    row.choice = session.choice(site.name);
    if (const auto& errors = session.siteErrors(); errors.value && row.choice.enabled) {
        if (const auto found = errors.value->find(site.name); found != errors.value->end()) {
            row.sqnrDb = found->second.sqnrDb();
            row.state = errors.revision == session.revision() ? ResultState::Live : ResultState::Stale;
        }
    }
    if (const auto& results = session.sensitivity().value) {
        const auto found = std::ranges::find(*results, site.name, &SiteSensitivity::site);
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

QString planSummary(const Session& session)
{
    double bits[2] = {0.0, 0.0};
    int count[2] = {0, 0};
    for (const Site& site : session.model()->sites) {
        const SiteChoice choice = session.choice(site.name);
        if (choice.enabled) {
            const int kind = site.kind == SiteKind::Weight ? 0 : 1;
            bits[kind] += choice.bits;
            ++count[kind];
        }
    }
    QStringList parts;
    for (const int kind : {0, 1}) {
        if (count[kind] > 0) {
            parts.append(QStringLiteral("%1%2")
                             .arg(kind == 0 ? QLatin1Char('W') : QLatin1Char('A'))
                             .arg(QString::number(bits[kind] / count[kind], 'g', 3)));
        }
    }
    return parts.isEmpty() ? QStringLiteral("FP32") : parts.join(QLatin1Char(' '));
}

} // namespace qs
