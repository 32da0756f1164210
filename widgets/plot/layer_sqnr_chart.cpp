#include "widgets/plot/layer_sqnr_chart.h"

#include "widgets/common/elided_label.h"
#include "widgets/common/empty_label.h"
#include "widgets/common/number_format.h"
#include "widgets/plot/plot_legend.h"
#include "widgets/plot/plot_menu.h"
#include "widgets/plot/plot_style.h"

#include <qcustomplot.h>

#include <QHBoxLayout>
#include <QMouseEvent>
#include <QStackedLayout>
#include <QVBoxLayout>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr double kHighestDb = 80.0; ///< more is as good as equal; keeps infinities in sight
constexpr std::array kRoles {PlotRole::Activation, PlotRole::ClippingError};

} // namespace

LayerSqnrChart::LayerSqnrChart(QWidget* parent)
    : PlotWidget(parent)
    , m_empty(new EmptyLabel(tr("Evaluate a plan to see where its error comes in."), this))
    , m_title(new ElidedLabel(Qt::ElideRight, this))
    , m_legend(new PlotLegend(this))
    , m_stack(new QStackedLayout(this))
{
    auto* content = new QWidget(this);
    auto* header = new QHBoxLayout;
    header->setContentsMargins(8, 2, 8, 0);
    header->addWidget(m_title, 1);
    header->addWidget(m_legend);
    auto* layout = new QVBoxLayout(content);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addLayout(header);
    layout->addWidget(m_plot, 1);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(content);
    m_plot->setFocusPolicy(Qt::StrongFocus);
    m_plot->setAccessibleName(tr("SQNR behind every layer"));
    m_plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    m_plot->axisRect()->setRangeDrag(Qt::Horizontal);
    m_plot->axisRect()->setRangeZoom(Qt::Horizontal);
    m_plot->xAxis->setLabel(tr("layer"));
    m_plot->yAxis->setLabel(tr("SQNR, dB"));
    useIntegerTicks(*m_plot->xAxis);
    useLinearTicks(*m_plot->yAxis);
    m_plot->installEventFilter(this);
    new PlotMenu(this, u"layers"_s, [this] { return csv(); });
    restyle();
}

LayerSqnrChart::~LayerSqnrChart() = default;

void LayerSqnrChart::setSeries(const QString& title, std::vector<QString> layers, std::vector<Series> series)
{
    m_layers = std::move(layers);
    m_series = std::move(series);
    m_mark = -1;
    m_title->setFullText(title);
    m_stack->setCurrentIndex(m_series.empty() || m_layers.empty() ? 0 : 1);
    std::vector<PlotLegend::Entry> entries;
    for (std::size_t i = 0; i < m_series.size() && i < kRoles.size(); ++i) {
        entries.push_back({kRoles[i], m_series[i].name});
    }
    m_legend->setEntries(std::move(entries));
    rebuild();
    resetView();
}

void LayerSqnrChart::setMark(const QString& layer)
{
    const auto found = std::ranges::find(m_layers, layer);
    m_mark = found == m_layers.end() ? -1 : static_cast<int>(found - m_layers.begin());
    rebuild();
}

void LayerSqnrChart::setEmptyText(const QString& text)
{
    m_empty->setText(text);
}

QSize LayerSqnrChart::sizeHint() const
{
    return {420, 220};
}

void LayerSqnrChart::applyStyle(const PlotStyle&)
{
    rebuild();
}

void LayerSqnrChart::rebuild()
{
    const PlotStyle style(palette());
    m_plot->clearGraphs();
    m_plot->clearItems();
    for (std::size_t i = 0; i < m_series.size() && i < kRoles.size(); ++i) {
        QCPGraph* graph = m_plot->addGraph();
        QPen pen = style.pen(kRoles[i]);
        pen.setWidthF(1.6);
        pen.setStyle(i == 0 ? Qt::SolidLine : Qt::DashLine);
        graph->setPen(pen);
        graph->setScatterStyle(QCPScatterStyle(
            i == 0 ? QCPScatterStyle::ssDisc : QCPScatterStyle::ssDiamond, style.colour(kRoles[i]), 5.0));
        for (std::size_t layer = 0; layer < m_series[i].values.size(); ++layer) {
            const auto& value = m_series[i].values[layer];
            graph->addData(static_cast<double>(layer),
                value ? std::min(*value, kHighestDb) : std::numeric_limits<double>::quiet_NaN());
        }
    }
    if (m_mark >= 0) {
        auto* line = new QCPItemStraightLine(m_plot);
        line->setPen(style.pen(PlotRole::Selection));
        line->point1->setCoords(m_mark, 0.0);
        line->point2->setCoords(m_mark, 1.0);
    }
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void LayerSqnrChart::resetView()
{
    m_plot->xAxis->setRange(-0.7, static_cast<double>(m_layers.size()) - 0.3);
    m_plot->yAxis->rescale();
    const QCPRange range = m_plot->yAxis->range();
    const double margin = std::max(range.size() * 0.08, 1.0);
    m_plot->yAxis->setRange(range.lower - margin, range.upper + margin);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

int LayerSqnrChart::layerAt(double pixel) const
{
    const double layer = std::floor(m_plot->xAxis->pixelToCoord(pixel) + 0.5);
    return layer >= 0.0 && layer < static_cast<double>(m_layers.size()) ? static_cast<int>(layer) : -1;
}

void LayerSqnrChart::showReadout(double pixel)
{
    const int layer = layerAt(pixel);
    if (layer < 0) {
        m_plot->setToolTip({});
        return;
    }
    QString text = m_layers[static_cast<std::size_t>(layer)];
    for (const Series& series : m_series) {
        const auto& value = series.values[static_cast<std::size_t>(layer)];
        text += u"\n%1: %2"_s.arg(series.name, value ? formatDecibel(*value) : tr("not measured"));
    }
    m_plot->setToolTip(text);
}

bool LayerSqnrChart::eventFilter(QObject* watched, QEvent* event)
{
    switch (event->type()) {
    case QEvent::MouseMove: showReadout(static_cast<QMouseEvent*>(event)->position().x()); break;
    case QEvent::MouseButtonDblClick: resetView(); break;
    case QEvent::MouseButtonRelease: {
        const auto& mouse = *static_cast<QMouseEvent*>(event);
        const int layer = layerAt(mouse.position().x());
        if (mouse.button() == Qt::LeftButton && layer >= 0
            && m_plot->axisRect()->rect().contains(mouse.position().toPoint())) {
            emit layerClicked(m_layers[static_cast<std::size_t>(layer)]);
        }
        break;
    }
    case QEvent::KeyPress:
        if (static_cast<QKeyEvent*>(event)->key() == Qt::Key_R) {
            resetView();
            return true;
        }
        break;
    default: break;
    }
    return QWidget::eventFilter(watched, event);
}

QString LayerSqnrChart::csv() const
{
    QStringList header {u"layer"_s};
    for (const Series& series : m_series) {
        header << u"\"%1_sqnr_db\""_s.arg(series.name);
    }
    QString text = header.join(u',') + u'\n';
    for (std::size_t layer = 0; layer < m_layers.size(); ++layer) {
        QStringList cells {m_layers[layer]};
        for (const Series& series : m_series) {
            const auto& value = series.values[layer];
            cells << (value ? QString::number(*value, 'g', 9) : QString());
        }
        text += cells.join(u',') + u'\n';
    }
    return text;
}

} // namespace qs
