#include "widgets/plot/sample_range_chart.h"

#include "widgets/common/elided_label.h"
#include "widgets/common/number_format.h"
#include "widgets/plot/plot_legend.h"
#include "widgets/plot/plot_menu.h"
#include "widgets/plot/plot_style.h"

#include <qcustomplot.h>

#include <QHBoxLayout>
#include <QMouseEvent>
#include <QVBoxLayout>

#include <algorithm>

using namespace Qt::StringLiterals;

namespace qs {

SampleRangeChart::SampleRangeChart(QWidget* parent)
    : PlotWidget(parent)
    , m_legend(new PlotLegend(this))
    , m_readout(new ElidedLabel(Qt::ElideRight, this))
    , m_lower(m_plot->addGraph())
    , m_upper(m_plot->addGraph())
    , m_lowerBound(new QCPItemStraightLine(m_plot))
    , m_upperBound(new QCPItemStraightLine(m_plot))
{
    m_legend->setEntries({{PlotRole::Distribution, tr("range of a sample")},
        {PlotRole::Envelope, tr("of all so far")}, {PlotRole::Bound, tr("bounds")}});
    m_readout->setForegroundRole(QPalette::PlaceholderText);
    m_readout->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    auto* header = new QHBoxLayout;
    header->setContentsMargins(8, 2, 8, 0);
    header->addWidget(m_legend);
    header->addWidget(m_readout, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addLayout(header);
    layout->addWidget(m_plot, 1);
    for (QCPGraph* graph : {m_lower, m_upper}) {
        graph->setLineStyle(QCPGraph::lsStepLeft);
    }
    m_plot->setAccessibleName(tr("Range of every calibration sample"));
    m_plot->setFocusPolicy(Qt::StrongFocus);
    m_plot->xAxis->setLabel(tr("sample"));
    m_plot->yAxis->setLabel(tr("value"));
    useIntegerTicks(*m_plot->xAxis);
    m_plot->installEventFilter(this);
    restyle();
    setBounds(std::nullopt);
    new PlotMenu(this, u"samples"_s, [this] { return csv(); });
}

SampleRangeChart::~SampleRangeChart() = default;

QSize SampleRangeChart::sizeHint() const
{
    return {520, 220};
}

void SampleRangeChart::setSite(const SampleRanges& ranges, const std::optional<SiteMicroscope>& microscope)
{
    m_ranges = ranges;
    m_progress = microscope ? microscope->progress : std::vector<RangeProgress> {};
    for (QCPItemLine* bar : m_bars) {
        m_plot->removeItem(bar);
    }
    m_bars.clear();
    double first = 0.0;
    for (const SampleSpan& span : m_ranges.spans) {
        auto* bar = new QCPItemLine(m_plot);
        const double middle = first + static_cast<double>(span.samples - 1) / 2.0;
        bar->start->setCoords(middle, static_cast<double>(span.range.minimum));
        bar->end->setCoords(middle, static_cast<double>(span.range.maximum));
        bar->setVisible(!span.range.isEmpty);
        m_bars.push_back(bar);
        first += static_cast<double>(span.samples);
    }
    m_lower->data()->clear();
    m_upper->data()->clear();
    for (const RangeProgress& point : m_progress) {
        m_lower->addData(static_cast<double>(point.samples - 1), point.range.lower);
        m_upper->addData(static_cast<double>(point.samples - 1), point.range.upper);
    }
    m_highlighted = -1;
    restyle();
    fitAxes();
}

void SampleRangeChart::setBounds(const std::optional<Bounds>& bounds)
{
    m_bounds = bounds;
    for (QCPItemStraightLine* line : {m_lowerBound, m_upperBound}) {
        line->setVisible(bounds.has_value());
    }
    if (bounds) {
        m_lowerBound->point1->setCoords(0.0, bounds->lower);
        m_lowerBound->point2->setCoords(1.0, bounds->lower);
        m_upperBound->point1->setCoords(0.0, bounds->upper);
        m_upperBound->point2->setCoords(1.0, bounds->upper);
    }
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void SampleRangeChart::setHighlighted(qint64 sample)
{
    m_highlighted = sample;
    restyle();
}

void SampleRangeChart::applyStyle(const PlotStyle& style)
{
    m_lower->setPen(style.pen(PlotRole::Envelope));
    m_upper->setPen(style.pen(PlotRole::Envelope));
    m_lowerBound->setPen(style.pen(PlotRole::Bound));
    m_upperBound->setPen(style.pen(PlotRole::Bound));
    const int marked = m_highlighted < 0 ? -1 : spanAt(static_cast<double>(m_highlighted));
    const double width = m_bars.size() > 64 ? 1.0 : 3.0;
    for (std::size_t i = 0; i < m_bars.size(); ++i) {
        const bool isMarked = static_cast<int>(i) == marked;
        QPen pen(style.colour(isMarked ? PlotRole::Selection : PlotRole::Distribution));
        pen.setWidthF(isMarked ? width + 2.0 : width);
        pen.setCapStyle(Qt::FlatCap);
        m_bars[i]->setPen(pen);
    }
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void SampleRangeChart::fitAxes()
{
    double low = 0.0;
    double high = 1.0;
    if (!m_progress.empty()) {
        low = m_progress.back().range.lower;
        high = std::max(m_progress.back().range.upper, low + 1e-12);
    }
    const double room = 0.05 * (high - low);
    m_plot->yAxis->setRange(low - room, high + room);
    m_plot->xAxis->setRange(-0.7, std::max(1.0, static_cast<double>(m_ranges.samples)) - 0.3);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

int SampleRangeChart::spanAt(double x) const
{
    std::int64_t end = 0;
    for (std::size_t i = 0; i < m_ranges.spans.size() && x >= -0.5; ++i) {
        end += m_ranges.spans[i].samples;
        if (x < static_cast<double>(end) - 0.5) {
            return static_cast<int>(i);
        }
    }
    return -1;
}

bool SampleRangeChart::eventFilter(QObject* watched, QEvent* event)
{
    if (watched != m_plot
        || (event->type() != QEvent::MouseMove && event->type() != QEvent::MouseButtonPress)) {
        return QWidget::eventFilter(watched, event);
    }
    const auto& mouse = *static_cast<QMouseEvent*>(event);
    const double x = m_plot->xAxis->pixelToCoord(mouse.position().x());
    const int index = spanAt(x);
    if (index < 0) {
        m_readout->setFullText({});
        return false;
    }
    const SampleSpan& span = m_ranges.spans[static_cast<std::size_t>(index)];
    const qint64 sample = qRound64(x);
    if (event->type() == QEvent::MouseButtonPress) {
        if (mouse.button() == Qt::LeftButton && span.samples == 1) {
            setHighlighted(sample);
            emit sampleClicked(sample);
            return true;
        }
        return false;
    }
    const RangeProgress* progress = static_cast<std::size_t>(index) < m_progress.size()
        ? &m_progress[static_cast<std::size_t>(index)]
        : nullptr;
    m_readout->setFullText(
        tr("%1: %2 … %3%4")
            .arg(span.samples == 1 ? tr("sample %1").arg(sample) : tr("%1 samples").arg(span.samples),
                formatNumber(static_cast<double>(span.range.minimum), 4),
                formatNumber(static_cast<double>(span.range.maximum), 4),
                progress == nullptr ? QString()
                                    : tr("; with those before, %1 of all values are inside")
                                          .arg(formatShare(progress->coverage))));
    return false;
}

QString SampleRangeChart::csv() const
{
    QStringList lines {u"samples,minimum,maximum,lower_so_far,upper_so_far,coverage"_s};
    for (std::size_t i = 0; i < m_ranges.spans.size() && i < m_progress.size(); ++i) {
        const auto number = [](double value) { return QString::number(value, 'g', 9); };
        lines << QStringList {QString::number(m_progress[i].samples),
            number(static_cast<double>(m_ranges.spans[i].range.minimum)),
            number(static_cast<double>(m_ranges.spans[i].range.maximum)), number(m_progress[i].range.lower),
            number(m_progress[i].range.upper), number(m_progress[i].coverage)}
                     .join(u',');
    }
    return lines.join(u'\n') + u'\n';
}

} // namespace qs
