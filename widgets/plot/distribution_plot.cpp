#include "widgets/plot/distribution_plot.h"

#include "widgets/common/empty_label.h"
#include "widgets/common/number_format.h"
#include "widgets/plot/csv_tables.h"
#include "widgets/plot/ghost_item.h"
#include "widgets/plot/histogram_items.h"
#include "widgets/plot/histogram_readout.h"
#include "widgets/plot/plot_menu.h"
#include "widgets/plot/plot_style.h"

#include <qcustomplot.h>

#include <QKeyEvent>
#include <QMouseEvent>
#include <QStackedLayout>
#include <QTimer>

#include <algorithm>
#include <cmath>
#include <utility>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

const QString kLiveLayer = u"live"_s;
const QString kHoverLayer = u"hover"_s;

} // namespace

DistributionPlot::DistributionPlot(QWidget* parent)
    : PlotWidget(parent)
    , m_empty(new EmptyLabel(tr("No values to show."), this))
    , m_stack(new QStackedLayout(this))
{
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_plot);
    buildRects();
    buildLayers();
    buildBounds();
    setFocusProxy(m_plot);
    m_plot->setFocusPolicy(Qt::StrongFocus);
    m_plot->setAccessibleName(tr("Distribution of values with clipping bounds"));
    m_plot->setWhatsThis(
        tr("Drag a bound, or press Tab to choose one and the arrow keys to move it by one bin; Shift moves "
           "it by "
           "ten. Escape takes the movement back, Return asks for an automatic bound. While dragging, Shift "
           "keeps both bounds symmetric, Alt moves the marked channels together and Ctrl passes percentile "
           "marks by. Wheel or plus and minus zoom, R shows everything."));
    restyle();
    setCountScale(AxisScale::Log);
    new PlotMenu(this, u"distribution"_s, [this] { return csv(); });
}

DistributionPlot::~DistributionPlot() = default;

void DistributionPlot::buildRects()
{
    m_countRect = m_plot->axisRect();
    m_errorRect = new QCPAxisRect(m_plot, true);
    m_plot->plotLayout()->addElement(1, 0, m_errorRect);
    m_plot->plotLayout()->setRowStretchFactors({3.2, 1.0});
    m_plot->plotLayout()->setRowSpacing(0);
    auto* sides = new QCPMarginGroup(m_plot);
    for (QCPAxisRect* rect : {m_countRect, m_errorRect}) {
        rect->setMarginGroup(QCP::msLeft | QCP::msRight, sides);
        rect->setRangeDrag(Qt::Horizontal);
        rect->setRangeZoom(Qt::Horizontal);
        rect->setRangeZoomFactor(0.8);
        rect->setupFullAxesBox(false);
        for (const auto side : {QCPAxis::atTop, QCPAxis::atRight}) {
            rect->axis(side)->setVisible(false);
        }
    }
    m_countRect->setMinimumMargins({8, 6, 12, 12});
    m_errorRect->setMinimumMargins({8, 3, 12, 0});
    m_errorRect->setMinimumSize(50, 30); // where height is short, the counts need it more
    m_plot->xAxis->setTickLabels(false); // below stand the levels
    m_plot->yAxis->setLabel(tr("count"));
    QCPAxis* errorKeys = m_errorRect->axis(QCPAxis::atBottom);
    QCPAxis* errorValues = m_errorRect->axis(QCPAxis::atLeft);
    errorKeys->setLabel(tr("value"));
    errorValues->setLabel(tr("error"));
    errorValues->setTicks(false);
    errorValues->setTickLabels(false);
    errorValues->grid()->setVisible(false);
    m_plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    const auto changed = qOverload<const QCPRange&>(&QCPAxis::rangeChanged);
    connect(m_plot->xAxis, changed, this, [this, errorKeys](const QCPRange& range) {
        errorKeys->setRange(range);
        constrainRange();
    });
    connect(errorKeys, changed, m_plot->xAxis, qOverload<const QCPRange&>(&QCPAxis::setRange));
}

void DistributionPlot::buildLayers()
{
    for (const QString& name : {kLiveLayer, kHoverLayer}) {
        m_plot->addLayer(name);
        m_plot->layer(name)->setMode(QCPLayer::lmBuffered);
    }
    m_liveLayer = m_plot->layer(kLiveLayer);
    m_hoverLayer = m_plot->layer(kHoverLayer);
    m_histogramItem = new HistogramItem(m_countRect, u"main"_s);
    m_errorItem = new ErrorDensityItem(m_errorRect, kLiveLayer);
    m_levelsItem = new LevelsItem(m_countRect, kLiveLayer);
    m_hoverItem = new HoverItem(m_plot, kHoverLayer);
}

void DistributionPlot::buildBounds()
{
    m_plot->installEventFilter(this); // before the bounds: what they do not take comes here
    m_bounds = new BoundPair(m_plot, kLiveLayer);
    m_bounds->setStepFunction([this](double value, int steps) { return stepped(value, steps); });
    connect(m_bounds, &BoundPair::moved, this, &DistributionPlot::scheduleLiveReplot);
    connect(m_bounds, &BoundPair::automaticRequested, this, &DistributionPlot::automaticRequested);
    connect(m_bounds, &BoundPair::edited, this, [this](EditPhase phase) {
        clearHover();
        updateLimits();
        updateAccessibleText();
        scheduleLiveReplot();
        emit boundsEdited(bounds(), phase);
    });
    m_ghostItem = new GhostItem(m_countRect, kLiveLayer); // its figures stay readable above the bounds
}

void DistributionPlot::setHistogram(
    std::shared_ptr<const Histogram> histogram, double valueMinimum, double valueMaximum)
{
    const bool hadValues = m_histogram != nullptr;
    const bool sameScale = hadValues && histogram && histogram->scale == m_histogram->scale;
    const bool sameRange = m_valueMinimum == valueMinimum && m_valueMaximum == valueMaximum;
    m_histogram = std::move(histogram);
    m_valueMinimum = valueMinimum;
    m_valueMaximum = valueMaximum;
    m_histogramItem->setHistogram(m_histogram);
    m_errorItem->setHistogram(m_histogram);
    clearHover();
    m_stack->setCurrentIndex(m_histogram ? 1 : 0);
    if (!m_histogram) {
        return;
    }
    if (!sameScale) {
        m_valueScale = m_histogram->scale == BinScale::Log2 ? AxisScale::Log : AxisScale::Linear;
    }
    if (m_valueScale == AxisScale::Log && !canUseLogValues()) {
        m_valueScale = AxisScale::Linear;
    }
    applyValueScale();
    applyCountRange();
    updateLimits();
    if (!sameScale || !sameRange) {
        resetView();
    }
    replotAll();
}

void DistributionPlot::setBounds(const std::optional<Bounds>& bounds)
{
    const bool known = bounds.has_value();
    const bool appeared = known && !m_boundsKnown;
    m_boundsKnown = known;
    if (known) {
        m_bounds->setValues(*bounds);
    }
    setDraggableSides(m_bounds->sides());
    if (appeared && m_histogram) {
        resetView();
    }
    updateLimits();
    updateAccessibleText();
    scheduleLiveReplot();
}

Bounds DistributionPlot::bounds() const
{
    return m_bounds->values();
}

void DistributionPlot::setDraggableSides(DraggableSides sides)
{
    m_bounds->show(sides, m_boundsKnown);
    updateLimits();
    scheduleLiveReplot();
}

void DistributionPlot::setLevels(std::vector<double> levels)
{
    m_levelsItem->setLevels(std::move(levels));
    scheduleLiveReplot();
}

void DistributionPlot::setErrorDensity(std::vector<double> clipping, std::vector<double> rounding)
{
    m_errorItem->setDensity(std::move(clipping), std::move(rounding));
    scheduleLiveReplot();
}

void DistributionPlot::setErrorNote(const QString& note)
{
    m_errorItem->setNote(note);
    scheduleLiveReplot();
}

const QString& DistributionPlot::errorNote() const
{
    return m_errorItem->note();
}

void DistributionPlot::setZeroingCutoff(const std::optional<ZeroingCutoff>& cutoff)
{
    if (cutoff) {
        m_levelsItem->setCutoff(
            cutoff->value, tr("zeroed: %1 of the sum").arg(formatShare(cutoff->massShare)));
    } else {
        m_levelsItem->setCutoff(0.0, {});
    }
    scheduleLiveReplot();
}

void DistributionPlot::setPercentileMarks(std::vector<PercentileMark> marks)
{
    std::vector<double> values;
    for (const PercentileMark& mark : marks) {
        values.push_back(mark.value);
    }
    m_bounds->setSnapPoints(std::move(values));
    m_levelsItem->setMarks(std::move(marks));
    scheduleLiveReplot();
}

void DistributionPlot::setGhosts(std::vector<GhostRail> ghosts)
{
    m_ghostItem->setGhosts(std::move(ghosts));
    scheduleLiveReplot();
}

Qt::KeyboardModifiers DistributionPlot::gestureModifiers() const
{
    return m_bounds->modifiers();
}

void DistributionPlot::setEmptyText(const QString& text)
{
    m_empty->setText(text);
}

void DistributionPlot::setValueLabel(const QString& text)
{
    m_errorRect->axis(QCPAxis::atBottom)->setLabel(text);
    replotAll();
}

QString DistributionPlot::csv() const
{
    if (!m_histogram) {
        return {};
    }
    const auto list = [](const BinPyramid& bins) {
        std::vector<double> values;
        for (std::size_t bin = 0; bin < bins.size(); ++bin) {
            values.push_back(bins.at(bin));
        }
        return values;
    };
    return histogramCsv(*m_histogram, list(m_errorItem->clipping()), list(m_errorItem->rounding()));
}

QString DistributionPlot::hoverText() const
{
    return m_hoverItem->text();
}

void DistributionPlot::setCountScale(AxisScale scale)
{
    m_countScale = scale;
    if (scale == AxisScale::Log) {
        useDecadeTicks(*m_plot->yAxis);
    } else {
        useLinearTicks(*m_plot->yAxis);
    }
    applyCountRange();
    replotAll();
}

void DistributionPlot::setValueScale(AxisScale scale)
{
    m_valueScale = scale == AxisScale::Log && canUseLogValues() ? AxisScale::Log : AxisScale::Linear;
    applyValueScale();
    updateLimits();
    resetView();
}

bool DistributionPlot::canUseLogValues() const
{
    return m_histogram && m_valueMinimum >= 0.0 && m_valueMaximum > 0.0;
}

void DistributionPlot::resetView()
{
    const Bounds range = axis().full();
    m_plot->xAxis->setRange(range.lower, range.upper);
    applyCountRange();
    replotAll();
}

bool DistributionPlot::isInGesture() const
{
    return m_bounds->isInGesture();
}

QSize DistributionPlot::sizeHint() const
{
    return {640, 320};
}

QSize DistributionPlot::minimumSizeHint() const
{
    return {260, 150};
}

void DistributionPlot::applyStyle(const PlotStyle&)
{
    m_errorRect->axis(QCPAxis::atLeft)->grid()->setVisible(false);
    m_plot->xAxis->setTickLength(0, 0);
    m_plot->xAxis->setSubTickLength(0, 0);
    m_histogramItem->setPalette(palette());
    m_errorItem->setPalette(palette());
    m_levelsItem->setPalette(palette());
    m_ghostItem->setPalette(palette());
    m_hoverItem->setPalette(palette());
    m_bounds->applyPalette(palette());
    replotAll();
}

void DistributionPlot::applyValueScale()
{
    const bool perOctave = m_histogram && m_histogram->scale == BinScale::Log2;
    m_plot->yAxis->setLabel(
        perOctave ? tr("per 1/%1 octave").arg(formatNumber(1.0 / m_histogram->width)) : tr("count"));
    for (QCPAxis* axis : {m_plot->xAxis, m_errorRect->axis(QCPAxis::atBottom)}) {
        if (m_valueScale == AxisScale::Log) {
            useOctaveTicks(*axis);
        } else {
            useLinearTicks(*axis);
        }
    }
}

void DistributionPlot::applyCountRange()
{
    const double largest = std::max(m_histogramItem->largestCount(), 1.0);
    if (m_countScale == AxisScale::Log) {
        m_plot->yAxis->setRange(0.5, largest * std::pow(2.0 * largest, 0.12)); // room above for the labels
    } else {
        m_plot->yAxis->setRange(0.0, largest * 1.15);
    }
}

HistogramAxis DistributionPlot::axis() const
{
    HistogramAxis axis {
        .histogram = m_histogram.get(), .values = {m_valueMinimum, m_valueMaximum}, .scale = m_valueScale};
    if (m_boundsKnown) {
        axis.upperBound = bounds().upper;
        if (m_bounds->sides() != DraggableSides::Upper) {
            axis.lowerBound = bounds().lower;
        }
    }
    return axis;
}

void DistributionPlot::updateLimits()
{
    const double gap = m_histogram && m_histogram->scale == BinScale::Linear ? m_histogram->width : 0.0;
    m_bounds->setLimits(gap, axis().lowestPositive());
}

void DistributionPlot::updateAccessibleText()
{
    m_plot->setAccessibleDescription(m_boundsKnown ? tr("lower bound %1, upper bound %2")
                                                         .arg(formatNumber(bounds().lower))
                                                         .arg(formatNumber(bounds().upper))
                                                   : tr("no bounds"));
}

void DistributionPlot::scheduleLiveReplot()
{
    if (m_liveScheduled) {
        return;
    }
    m_liveScheduled = true;
    QTimer::singleShot(0, this, [this] {
        m_liveScheduled = false;
        if (m_boundsKnown) {
            const bool upperOnly = m_bounds->sides() == DraggableSides::Upper;
            m_levelsItem->setKept(Bounds {upperOnly ? -1e300 : bounds().lower, bounds().upper});
        } else {
            m_levelsItem->setKept(std::nullopt);
        }
        m_liveLayer->replot();
    });
}

void DistributionPlot::replotAll()
{
    scheduleLiveReplot();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void DistributionPlot::constrainRange()
{
    if (m_constraining || !m_histogram) {
        return;
    }
    const QCPRange shown = m_plot->xAxis->range();
    const Bounds range = axis().constrained({shown.lower, shown.upper});
    m_constraining = true;
    m_plot->xAxis->setRange(range.lower, range.upper);
    m_constraining = false;
}

void DistributionPlot::zoomKeys(double factor)
{
    const QCPRange range = m_plot->xAxis->range();
    const double centre
        = m_valueScale == AxisScale::Log ? std::sqrt(range.lower * range.upper) : range.center();
    m_plot->xAxis->scaleRange(factor, centre);
    replotAll();
}

double DistributionPlot::stepped(double value, int steps) const
{
    if (!m_histogram) {
        return value;
    }
    const BinColumns& columns = m_histogramItem->columns();
    const double position = columns.binPosition(value);
    return std::isfinite(position) ? columns.edge(position + steps) : value;
}

bool DistributionPlot::eventFilter(QObject* watched, QEvent* event)
{
    if (watched != m_plot) {
        return QWidget::eventFilter(watched, event);
    }
    switch (event->type()) {
    case QEvent::KeyPress: {
        const auto& key = *static_cast<QKeyEvent*>(event);
        if (handleKey(key.key(), key.modifiers())) {
            return true;
        }
        break;
    }
    case QEvent::MouseMove: {
        const auto& mouse = *static_cast<QMouseEvent*>(event);
        if (mouse.buttons() == Qt::NoButton) {
            showHover(mouse.position());
        }
        break;
    }
    case QEvent::MouseButtonDblClick: resetView(); break;
    case QEvent::Leave: clearHover(); break;
    case QEvent::FocusIn: {
        const auto reason = static_cast<QFocusEvent*>(event)->reason();
        if (reason == Qt::TabFocusReason || reason == Qt::BacktabFocusReason) {
            m_bounds->enter(reason == Qt::TabFocusReason);
        }
        break;
    }
    case QEvent::FocusOut: m_bounds->leave(); break;
    default: break;
    }
    return QWidget::eventFilter(watched, event);
}

bool DistributionPlot::handleKey(int key, Qt::KeyboardModifiers modifiers)
{
    switch (key) {
    case Qt::Key_Tab: return !modifiers.testFlag(Qt::ShiftModifier) && m_bounds->moveOn(true);
    case Qt::Key_Backtab: return m_bounds->moveOn(false);
    case Qt::Key_R: resetView(); return true;
    case Qt::Key_Plus:
    case Qt::Key_Equal: zoomKeys(0.8); return true;
    case Qt::Key_Minus: zoomKeys(1.25); return true;
    default: return false;
    }
}

void DistributionPlot::showHover(const QPointF& pixel)
{
    const bool inside
        = m_countRect->rect().contains(pixel.toPoint()) || m_errorRect->rect().contains(pixel.toPoint());
    if (!m_histogram || !inside) {
        clearHover();
        return;
    }
    const double value = m_plot->xAxis->pixelToCoord(pixel.x());
    m_hoverItem->showAt(pixel.x(),
        histogramReadout(*m_histogram, value, m_histogramItem->columns().binPosition(value),
            m_errorItem->clipping(), m_errorItem->rounding()));
    m_hoverLayer->replot();
}

void DistributionPlot::clearHover()
{
    if (!m_hoverItem->text().isEmpty()) {
        m_hoverItem->clear();
        m_hoverLayer->replot();
    }
}

} // namespace qs
