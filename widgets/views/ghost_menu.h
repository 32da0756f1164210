#pragma once

#include "widgets/models/site_row.h"
#include "widgets/plot/ghost_quantizer.h"

#include <QToolButton>

#include <vector>

class QAction;

namespace qs {

/// A button whose menu ticks the quantizers to lay over the distribution: variations of what the plan holds
/// for the site. At most kGhostLimit are ticked; the others are then greyed out. The ticks stay from site to
/// site.
class GhostMenu : public QToolButton
{
    Q_OBJECT
public:
    explicit GhostMenu(QWidget* parent = nullptr);

    /// The site whose choice is varied; variations that do not differ from it, or that make no sense for it,
    /// are left out of choices(). Silent.
    void setSite(const SiteRow& site);
    /// What is ticked, in the order of the menu.
    [[nodiscard]] std::vector<GhostChoice> choices() const;

signals:
    void ticksChanged(); ///< by the user

private:
    enum class Variation {
        MinMax,
        Percentile,
        Mse,
        Kl,
        OtherSymmetry,
        OtherGranularity,
        Uniform,
        Log2,
        LogSqrt2,
        AdaLog,
        MoreBits,
        FewerBits
    };

    [[nodiscard]] GhostChoice varied(Variation variation) const;
    [[nodiscard]] bool makesSense(Variation variation) const;
    void showSite();

    SiteRow m_site;
    std::vector<std::pair<Variation, QAction*>> m_actions;
};

} // namespace qs
