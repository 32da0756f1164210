#include "widgets/plot/distribution_plot.h"

#include "widgets/common/empty_label.h"
#include "widgets/common/number_format.h"
#include "widgets/plot/csv_tables.h"
#include "widgets/plot/draggable_bound.h"
#include "widgets/plot/ghost_item.h"
#include "widgets/plot/histogram_items.h"
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
    : QWidget(parent)
    , m_plot(new QCustomPlot(this))
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
    applyStyle();
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
    m_lower = new DraggableBound(m_plot, DraggableBound::Side::Lower, kLiveLayer);
    m_upper = new DraggableBound(m_plot, DraggableBound::Side::Upper, kLiveLayer);
    m_lower->setRival(m_upper);
    m_upper->setRival(m_lower);
    m_lower->setObjectName(u"lowerBound"_s);
    m_upper->setObjectName(u"upperBound"_s);
    for (auto [bound, other] : {std::pair(m_lower, m_upper), std::pair(m_upper, m_lower)}) {
        bound->setStepFunction([this](double value, int steps) { return stepped(value, steps); });
        bound->hide();
        connect(bound, &DraggableBound::moved, this, &DistributionPlot::scheduleLiveReplot);
        connect(bound, &DraggableBound::automaticRequested, this, &DistributionPlot::automaticRequested);
        connect(bound, &DraggableBound::activated, this, [bound = bound, other = other] {
            other->deactivate();
            bound->activate();
        });
        connect(bound, &DraggableBound::edited, this,
            [this, bound = bound, other = other](
                double, EditPhase phase) { onBoundEdited(*bound, *other, phase); });
    }
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
        m_lower->setValue(bounds->lower);
        m_upper->setValue(bounds->upper);
    }
    setDraggableSides(m_sides);
    if (appeared && m_histogram) {
        resetView();
    }
    updateLimits();
    updateAccessibleText();
    scheduleLiveReplot();
}

Bounds DistributionPlot::bounds() const
{
    return {m_lower->value(), m_upper->value()};
}

void DistributionPlot::setDraggableSides(DraggableSides sides)
{
    m_sides = sides;
    const auto apply = [](DraggableBound& bound, DraggableSides known, bool shown) {
        if (!shown) {
            bound.hide();
            return;
        }
        bound.show();
        if (known == DraggableSides::None) {
            bound.lock();
        } else {
            bound.unlock();
        }
    };
    apply(*m_lower, sides, m_boundsKnown && sides != DraggableSides::Upper);
    apply(*m_upper, sides, m_boundsKnown);
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
    m_lower->setSnapPoints(values);
    m_upper->setSnapPoints(std::move(values));
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
    return m_gestureModifiers;
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
    const Bounds range = fullRange();
    m_plot->xAxis->setRange(range.lower, range.upper);
    applyCountRange();
    replotAll();
}

bool DistributionPlot::isInGesture() const
{
    return m_lower->isInGesture() || m_upper->isInGesture();
}

QSize DistributionPlot::sizeHint() const
{
    return {640, 320};
}

QSize DistributionPlot::minimumSizeHint() const
{
    return {260, 150};
}

void DistributionPlot::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        applyStyle();
    }
}

void DistributionPlot::applyStyle()
{
    PlotStyle(palette()).applyTo(*m_plot);
    m_errorRect->axis(QCPAxis::atLeft)->grid()->setVisible(false);
    m_plot->xAxis->setTickLength(0, 0);
    m_plot->xAxis->setSubTickLength(0, 0);
    m_histogramItem->setPalette(palette());
    m_errorItem->setPalette(palette());
    m_levelsItem->setPalette(palette());
    m_ghostItem->setPalette(palette());
    m_hoverItem->setPalette(palette());
    m_lower->applyPalette(palette());
    m_upper->applyPalette(palette());
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

Bounds DistributionPlot::fullRange() const
{
    Bounds range {m_valueMinimum, m_valueMaximum};
    if (m_boundsKnown) {
        range.upper = std::max(range.upper, m_upper->value());
        if (m_sides != DraggableSides::Upper) {
            range.lower = std::min(range.lower, m_lower->value());
        }
    }
    if (m_valueScale == AxisScale::Log) {
        const double lower = lowestPositive();
        const double upper = std::max(range.upper, 2.0 * lower);
        const double margin = std::pow(upper / lower, 0.03);
        return {lower / margin, upper * margin};
    }
    const double span = range.upper - range.lower;
    const double margin = span > 0.0 ? 0.05 * span : std::max(std::abs(range.upper) * 0.1, 1e-6);
    return {range.lower - margin, range.upper + margin};
}

double DistributionPlot::lowestPositive() const
{
    if (!m_histogram || m_histogram->size() == 0) {
        return 1e-9;
    }
    const BinColumns& columns = m_histogramItem->columns();
    std::size_t bin = 0;
    while (bin + 1 < m_histogram->size()
        && (m_histogram->counts[bin] == 0 || columns.edge(static_cast<double>(bin) + 1.0) <= 0.0)) {
        ++bin;
    }
    const double edge = columns.edge(static_cast<double>(bin));
    return edge > 0.0 ? edge : columns.edge(static_cast<double>(bin) + 1.0) / 2.0;
}

void DistributionPlot::updateLimits()
{
    if (isInGesture()) {
        return; // the moving bound has its limits since Begin
    }
    constexpr double kFar = 1e30;
    const double gap = m_histogram && m_histogram->scale == BinScale::Linear ? m_histogram->width : 0.0;
    m_lower->setLimits(-kFar, std::max(m_upper->value() - gap, m_lower->value()));
    const double floor = m_sides == DraggableSides::Upper ? lowestPositive() : m_lower->value() + gap;
    m_upper->setLimits(std::min(floor, m_upper->value()), kFar);
}

void DistributionPlot::updateAccessibleText()
{
    m_plot->setAccessibleDescription(m_boundsKnown ? tr("lower bound %1, upper bound %2")
                                                         .arg(formatNumber(m_lower->value()))
                                                         .arg(formatNumber(m_upper->value()))
                                                   : tr("no bounds"));
}

void DistributionPlot::mirror(const DraggableBound& bound, DraggableBound& other, EditPhase phase)
{
    switch (phase) {
    case EditPhase::Begin: m_otherAtBegin = other.value(); break;
    case EditPhase::Update: {
        const bool onItsSide = &bound == m_upper ? bound.value() > 0.0 : bound.value() < 0.0;
        const bool symmetric = bound.modifiers().testFlag(Qt::ShiftModifier) && onItsSide;
        other.setValue(symmetric ? -bound.value() : m_otherAtBegin);
        break;
    }
    case EditPhase::End: break;
    case EditPhase::Abort: other.setValue(m_otherAtBegin); break;
    }
}

void DistributionPlot::onBoundEdited(DraggableBound& bound, DraggableBound& other, EditPhase phase)
{
    m_gestureModifiers = bound.modifiers();
    if (m_sides == DraggableSides::Both) {
        mirror(bound, other, phase);
    }
    clearHover();
    updateLimits();
    updateAccessibleText();
    scheduleLiveReplot();
    emit boundsEdited(bounds(), phase);
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
            const bool upperOnly = m_sides == DraggableSides::Upper;
            m_levelsItem->setKept(Bounds {upperOnly ? -1e300 : m_lower->value(), m_upper->value()});
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
    const Bounds full = fullRange();
    QCPRange range = m_plot->xAxis->range();
    Bounds limit = full;
    if (m_valueScale == AxisScale::Log) {
        limit = {full.lower / 4.0, full.upper * 4.0};
    } else {
        const double span = full.upper - full.lower;
        const double room = std::min(range.size() / 2.0, span); // half of the view stays on the values
        limit = {full.lower - room, full.upper + room};
        const double smallest = std::min(4.0 * m_histogram->width, span);
        if (range.size() < smallest) {
            const double centre = range.center();
            range = QCPRange(centre - smallest / 2.0, centre + smallest / 2.0);
        }
    }
    range = range.bounded(limit.lower, limit.upper);
    m_constraining = true;
    m_plot->xAxis->setRange(range);
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
        if (m_boundsKnown && (reason == Qt::TabFocusReason || reason == Qt::BacktabFocusReason)) {
            (reason == Qt::TabFocusReason && m_lower->isShown() ? m_lower : m_upper)->activate();
        }
        break;
    }
    case QEvent::FocusOut:
        m_lower->deactivate();
        m_upper->deactivate();
        break;
    default: break;
    }
    return QWidget::eventFilter(watched, event);
}

bool DistributionPlot::handleKey(int key, Qt::KeyboardModifiers modifiers)
{
    switch (key) {
    case Qt::Key_Tab: return !modifiers.testFlag(Qt::ShiftModifier) && moveActiveBound(true);
    case Qt::Key_Backtab: return moveActiveBound(false);
    case Qt::Key_R: resetView(); return true;
    case Qt::Key_Plus:
    case Qt::Key_Equal: zoomKeys(0.8); return true;
    case Qt::Key_Minus: zoomKeys(1.25); return true;
    default: return false;
    }
}

bool DistributionPlot::moveActiveBound(bool forward)
{
    if (m_sides != DraggableSides::Both || !m_boundsKnown) {
        return false;
    }
    DraggableBound* from = forward ? m_lower : m_upper;
    DraggableBound* to = forward ? m_upper : m_lower;
    if (forward && !to->isActive() && !from->isActive()) {
        from->activate(); // the plot came into focus by other means than the Tab key
        return true;
    }
    if (!from->isActive() || isInGesture()) {
        return false;
    }
    from->deactivate();
    to->activate();
    return true;
}

void DistributionPlot::showHover(const QPointF& pixel)
{
    const bool inside
        = m_countRect->rect().contains(pixel.toPoint()) || m_errorRect->rect().contains(pixel.toPoint());
    if (!m_histogram || !inside) {
        clearHover();
        return;
    }
    m_hoverItem->showAt(pixel.x(), hoverText(m_plot->xAxis->pixelToCoord(pixel.x())));
    m_hoverLayer->replot();
}

void DistributionPlot::clearHover()
{
    if (!m_hoverItem->text().isEmpty()) {
        m_hoverItem->clear();
        m_hoverLayer->replot();
    }
}

QString DistributionPlot::hoverText(double value) const
{
    QString text = formatNumber(value);
    const double position = m_histogramItem->columns().binPosition(value);
    if (position >= 0.0 && position < static_cast<double>(m_histogram->size())) {
        const auto bin = static_cast<std::size_t>(position);
        const auto count = m_histogram->counts[bin];
        const double total = static_cast<double>(std::max<std::uint64_t>(m_histogram->total(), 1));
        text += tr("   count %1 (%2)")
                    .arg(QLocale().toString(static_cast<qulonglong>(count)))
                    .arg(formatShare(static_cast<double>(count) / total));
        if (m_errorItem->rounding().size() > bin) {
            const double error = m_errorItem->rounding().at(bin) + m_errorItem->clipping().at(bin);
            text += tr("   squared error %1").arg(formatNumber(error, 3));
        }
    } else {
        text += tr("   count 0");
    }
    return text;
}

} // namespace qs
