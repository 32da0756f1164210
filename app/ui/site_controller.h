#pragma once

#include "app/ui/workbench.h"
#include "core/graph/site.h"
#include "widgets/common/edit_phase.h"
#include "widgets/models/site_row.h"

#include <QObject>
#include <QTimer>

#include <vector>

namespace qs {

struct Bounds;

/// The views of the selected site: its distribution, its quantizer and its three errors. Takes bounds from
/// the user's hand and has the errors follow.
class SiteController : public QObject
{
    Q_OBJECT
public:
    explicit SiteController(const Workbench& bench);

private:
    void wireViews();
    void showDocument();
    void showCalibration();
    void showSelection(); ///< another site
    void requestWeightStatistics(const Site& shown); ///< on the live lane: weights may be large
    void showChoices(); ///< the same one, edited
    void showLiveError();
    void showErrors(); ///< in the strip below the distribution
    void dragBounds(const Bounds& bounds, EditPhase phase);
    void requestGhosts(); ///< resolves the overlays the user ticked, on the live lane
    void selectFirst(); ///< something worth looking at, rather than an empty plot

    [[nodiscard]] const Site* site() const; ///< the first selected one; null without a selection
    [[nodiscard]] int siteIndex() const; ///< -1 without a selection
    [[nodiscard]] std::vector<SiteRow> selectedRows() const;

    const Workbench m_bench;
    QTimer m_quiet; ///< runs out when the hand has rested: then the slower errors are computed
};

} // namespace qs
