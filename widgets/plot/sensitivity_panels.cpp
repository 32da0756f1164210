#include "widgets/plot/sensitivity_panels.h"

#include "widgets/plot/plot_style.h"
#include "widgets/plot/sensitivity_bars_item.h"
#include "widgets/plot/sensitivity_text.h"

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr double kHeadroom = 1.06; ///< above the tallest bar

} // namespace

SensitivityPanels::SensitivityPanels(QCustomPlot* plot)
    : m_plot(plot)
    , m_margins(new QCPMarginGroup(plot))
{
    setMetrics({SensitivityMetric::Kl});
}

void SensitivityPanels::setMetrics(const std::vector<SensitivityMetric>& metrics)
{
    while (m_panels.size() > std::max<std::size_t>(metrics.size(), 1)) {
        delete m_panels.back().bars;
        m_plot->plotLayout()->remove(m_panels.back().rect);
        m_panels.pop_back();
        m_plot->plotLayout()->simplify();
    }
    for (std::size_t i = 0; i < metrics.size(); ++i) {
        if (i == m_panels.size()) {
            addPanel(metrics[i]);
        }
        m_panels[i].metric = metrics[i];
    }
    for (Panel& panel : m_panels) {
        const bool lowest = &panel == &m_panels.back();
        panel.bars->setLabelled(lowest);
        panel.rect->setAutoMargins(lowest ? QCP::msLeft | QCP::msTop | QCP::msRight : QCP::msAll);
        panel.rect->setMinimumMargins({8, 8, 12, 0});
    }
}

void SensitivityPanels::addPanel(SensitivityMetric metric)
{
    const bool first = m_panels.empty();
    QCPAxisRect* rect = first ? m_plot->axisRect() : new QCPAxisRect(m_plot);
    if (!first) {
        m_plot->plotLayout()->addElement(count(), 0, rect);
    }
    rect->setMarginGroup(QCP::msLeft, m_margins);
    QCPAxis& keys = *rect->axis(QCPAxis::atBottom);
    keys.setTickLabels(false);
    keys.setTicks(false);
    keys.grid()->setVisible(false);
    m_panels.push_back({metric, rect, new SensitivityBarsItem(rect, u"main"_s)});
}

void SensitivityPanels::setResults(
    const std::vector<SiteSensitivity>& results, const Look& look, const std::set<QString>& stale)
{
    std::map<QString, std::size_t> ranks;
    for (const SensitivityBar& bar : sensitivityBars(results, look.metric, look.order, stale)) {
        ranks.emplace(bar.site, ranks.size());
    }
    for (Panel& panel : m_panels) {
        std::vector<SensitivityBar> bars
            = sensitivityBars(results, panel.metric, SensitivityOrder::Network, stale);
        if (look.order == SensitivityOrder::WorstFirst) {
            std::ranges::sort(bars, {}, [&](const SensitivityBar& bar) { return ranks[bar.site]; });
        }
        fill(panel, std::move(bars), look);
    }
}

void SensitivityPanels::fill(Panel& panel, std::vector<SensitivityBar> bars, const Look& look)
{
    double largest = 0.0;
    for (const SensitivityBar& bar : bars) {
        for (const SensitivityColumn& column : bar.columns) {
            const double end = column.interval ? column.interval->upper : 0.0;
            largest = std::max({largest, column.value, std::isfinite(end) ? end : 0.0});
        }
    }
    panel.bars->setBars(std::move(bars));
    panel.bars->setFill(look.colouring == SensitivityColouring::Kind ? SensitivityBarsItem::Fill::Kind
                                                                     : SensitivityBarsItem::Fill::Cause);
    panel.bars->setGrouped(look.order == SensitivityOrder::Network);
    QCPAxis& values = *panel.rect->axis(QCPAxis::atLeft);
    values.setLabel(axisLabel(panel.metric));
    values.setRange(0.0, largest > 0.0 ? largest * kHeadroom : 1.0);
}

const std::vector<SensitivityBar>& SensitivityPanels::bars() const
{
    return m_panels.front().bars->bars();
}

void SensitivityPanels::setHighlighted(int position)
{
    for (const Panel& panel : m_panels) {
        panel.bars->setHighlighted(position);
    }
}

void SensitivityPanels::setRange(double first, double last)
{
    for (const Panel& panel : m_panels) {
        panel.rect->axis(QCPAxis::atBottom)->setRange(first, last);
    }
}

void SensitivityPanels::setBottomMargin(bool names)
{
    const QFontMetrics metrics(PlotStyle(m_plot->palette()).labelFont());
    int margin = metrics.height() + 10;
    if (names) {
        int longest = 0;
        for (const SensitivityBar& bar : bars()) {
            const QString text
                = bar.block.isEmpty() ? bar.label : bar.block.section(u'.', -1) + u'.' + bar.label;
            longest = std::max(longest, metrics.horizontalAdvance(text));
        }
        margin = std::min(longest + 16, m_plot->height() / 2);
    }
    QCPAxisRect& lowest = *m_panels.back().rect;
    QMargins margins = lowest.margins();
    margins.setBottom(margin);
    lowest.setMargins(margins);
}

void SensitivityPanels::applyStyle(const PlotStyle& style, const QPalette& palette)
{
    for (const Panel& panel : m_panels) {
        panel.bars->setPalette(palette);
        for (QCPAxis* axis : panel.rect->axes()) {
            style.applyTo(*axis);
        }
    }
}

} // namespace qs
