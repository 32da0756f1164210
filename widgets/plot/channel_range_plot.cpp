#include "widgets/plot/channel_range_plot.h"

#include "widgets/common/elided_label.h"
#include "widgets/common/number_format.h"
#include "widgets/plot/plot_legend.h"
#include "widgets/plot/plot_menu.h"

#include <qcustomplot.h>

#include <QHBoxLayout>
#include <QMouseEvent>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

QString interval(const Bounds& bounds)
{
    return u"%1 … %2"_s.arg(formatNumber(bounds.lower), formatNumber(bounds.upper));
}

double drawn(double value)
{
    return std::isfinite(value) ? value : std::numeric_limits<double>::quiet_NaN();
}

} // namespace

ChannelRangePlot::ChannelRangePlot(const QString& title, QWidget* parent)
    : PlotWidget(parent)
    , m_title(new ElidedLabel(Qt::ElideRight, this))
    , m_legend(new PlotLegend(this))
{
    m_title->setFullText(title);
    QFont bold = font();
    bold.setWeight(QFont::DemiBold);
    m_title->setFont(bold);
    auto* header = new QHBoxLayout;
    header->setContentsMargins(8, 2, 8, 0);
    header->addWidget(m_title, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(header);
    layout->addWidget(m_plot, 1);
    layout->addWidget(m_legend, 0, Qt::AlignHCenter);
    m_plot->setFocusPolicy(Qt::StrongFocus);
    m_plot->setAccessibleName(title);
    m_plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    m_plot->xAxis->setLabel(tr("channel"));
    m_plot->yAxis->setLabel(tr("value"));
    useIntegerTicks(*m_plot->xAxis);
    useLinearTicks(*m_plot->yAxis);
    m_plot->installEventFilter(this);
    new PlotMenu(this, u"channels"_s, [this] { return csv(); });
    restyle();
}

ChannelRangePlot::~ChannelRangePlot() = default;

void ChannelRangePlot::setChannels(
    std::vector<Bounds> ranges, const Bounds& tensor, std::vector<ChannelBoundsLine> lines)
{
    m_ranges = std::move(ranges);
    m_tensor = tensor;
    m_lines = std::move(lines);
    restyle();
    showAll();
}

QSize ChannelRangePlot::sizeHint() const
{
    return {420, 230};
}

void ChannelRangePlot::addPair(const std::vector<Bounds>& bounds, const QPen& pen, const QBrush& brush)
{
    QCPGraph* upper = m_plot->addGraph();
    QCPGraph* lower = m_plot->addGraph();
    for (QCPGraph* graph : {upper, lower}) {
        graph->setLineStyle(QCPGraph::lsStepCenter);
        graph->setPen(pen);
    }
    for (std::size_t c = 0; c < bounds.size(); ++c) {
        upper->addData(static_cast<double>(c), drawn(bounds[c].upper));
        lower->addData(static_cast<double>(c), drawn(bounds[c].lower));
    }
    if (brush.style() != Qt::NoBrush) {
        upper->setBrush(brush);
        upper->setChannelFillGraph(lower);
    }
}

void ChannelRangePlot::addLine(double value, const QPen& pen)
{
    auto* line = new QCPItemStraightLine(m_plot);
    line->setPen(pen);
    line->point1->setCoords(0.0, value);
    line->point2->setCoords(1.0, value);
}

void ChannelRangePlot::applyStyle(const PlotStyle& style)
{
    m_plot->clearGraphs();
    m_plot->clearItems();
    std::vector<PlotLegend::Entry> entries;
    if (!m_ranges.empty()) {
        addPair(m_ranges, style.pen(PlotRole::Distribution), style.tint(PlotRole::Distribution));
        entries.push_back({PlotRole::Distribution, tr("values")});
        for (const double value : {m_tensor.lower, m_tensor.upper}) {
            addLine(value, style.pen(PlotRole::Bound));
        }
        entries.push_back({PlotRole::Bound, tr("one scale")});
    }
    for (const ChannelBoundsLine& line : m_lines) {
        QPen pen = style.pen(line.role);
        pen.setWidthF(1.2);
        addPair(line.bounds, pen, Qt::NoBrush);
        entries.push_back({line.role, line.name});
    }
    m_legend->setEntries(std::move(entries));
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void ChannelRangePlot::showAll()
{
    double least = m_tensor.lower;
    double most = m_tensor.upper;
    for (const Bounds& range : m_ranges) {
        least = std::min(least, range.lower);
        most = std::max(most, range.upper);
    }
    const double margin = std::max((most - least) * 0.06, 1e-9);
    m_plot->xAxis->setRange(-1.0, static_cast<double>(std::max<std::size_t>(1, m_ranges.size())));
    m_plot->yAxis->setRange(least - margin, most + margin);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void ChannelRangePlot::showReadout(double pixel)
{
    const double at = std::floor(m_plot->xAxis->pixelToCoord(pixel) + 0.5);
    if (at < 0.0 || at >= static_cast<double>(m_ranges.size())) {
        m_plot->setToolTip({});
        return;
    }
    const auto c = static_cast<std::size_t>(at);
    QString text = tr("channel %1: %2").arg(c).arg(interval(m_ranges[c]));
    text += tr("\none scale: %1").arg(interval(m_tensor));
    for (const ChannelBoundsLine& line : m_lines) {
        if (c < line.bounds.size()) {
            text += u"\n%1: %2"_s.arg(line.name, interval(line.bounds[c]));
        }
    }
    m_plot->setToolTip(text);
}

bool ChannelRangePlot::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::MouseMove) {
        showReadout(static_cast<QMouseEvent*>(event)->position().x());
    } else if (event->type() == QEvent::MouseButtonDblClick) {
        showAll();
    } else if (event->type() == QEvent::KeyPress && static_cast<QKeyEvent*>(event)->key() == Qt::Key_R) {
        showAll();
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

QString ChannelRangePlot::csv() const
{
    QStringList header {u"channel,minimum,maximum"_s};
    for (const ChannelBoundsLine& line : m_lines) {
        header << u"\"%1, lower\",\"%1, upper\""_s.arg(line.name);
    }
    QString text = header.join(u',') + u'\n';
    for (std::size_t c = 0; c < m_ranges.size(); ++c) {
        QStringList cells {QString::number(c), QString::number(m_ranges[c].lower, 'g', 9),
            QString::number(m_ranges[c].upper, 'g', 9)};
        for (const ChannelBoundsLine& line : m_lines) {
            cells << (c < line.bounds.size() ? QString::number(line.bounds[c].lower, 'g', 9) : QString());
            cells << (c < line.bounds.size() ? QString::number(line.bounds[c].upper, 'g', 9) : QString());
        }
        text += cells.join(u',') + u'\n';
    }
    return text;
}

} // namespace qs
