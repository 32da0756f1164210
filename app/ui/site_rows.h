#pragma once

#include "app/session/session.h"
#include "widgets/models/site_row.h"

#include <vector>

namespace qs {

/// What the tree and the inspector show of every site, in network order: choices from the plan, SQNR from the
/// site errors, KL from the sensitivity, times from the profile. Figures computed under another choice of the
/// site are marked stale.
[[nodiscard]] std::vector<SiteRow> siteRows(const Session& session);
/// One of them.
[[nodiscard]] SiteRow siteRow(const Session& session, const Site& site);

} // namespace qs
