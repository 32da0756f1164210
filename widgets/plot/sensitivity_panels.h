#pragma once

#include "core/eval/sensitivity.h"
#include "widgets/plot/sensitivity_series.h"

#include <QString>

#include <set>
#include <vector>

class QCPAxisRect;
class QCPMarginGroup;
class QCustomPlot;
class QPalette;

namespace qs {

class PlotStyle;
class SensitivityBarsItem;

/// The figures of a SensitivityChart below each other, on one axis of sites: bars of every figure in the same
/// order, names under the lowest.
class SensitivityPanels
{
public:
    /// What is shown of the results.
    struct Look
    {
        SensitivityMetric metric = SensitivityMetric::Kl; ///< that the order is by
        SensitivityOrder order = SensitivityOrder::Network;
        SensitivityColouring colouring = SensitivityColouring::Kind;
    };

    /// The plot's own axes become the first panel.
    explicit SensitivityPanels(QCustomPlot* plot);

    /// One panel for each figure; at least one.
    void setMetrics(const std::vector<SensitivityMetric>& metrics);
    void setResults(
        const std::vector<SiteSensitivity>& results, const Look& look, const std::set<QString>& stale);
    void setHighlighted(int position); ///< -1: none
    /// Positions from the left.
    void setRange(double first, double last);
    /// Room for names of sites, upright, or of blocks.
    void setBottomMargin(bool names);
    void applyStyle(const PlotStyle& style, const QPalette& palette);

    [[nodiscard]] int count() const { return static_cast<int>(m_panels.size()); }
    [[nodiscard]] SensitivityMetric firstMetric() const { return m_panels.front().metric; }
    [[nodiscard]] const std::vector<SensitivityBar>& bars() const;

private:
    struct Panel
    {
        SensitivityMetric metric;
        QCPAxisRect* rect;
        SensitivityBarsItem* bars;
    };
    void addPanel(SensitivityMetric metric);
    static void fill(Panel& panel, std::vector<SensitivityBar> bars, const Look& look);

    QCustomPlot* m_plot;
    QCPMarginGroup* m_margins; ///< value axes start at one line
    std::vector<Panel> m_panels;
};

} // namespace qs
