#include "widgets/plot/sensitivity_chart.h"

#include "widgets/common/display_names.h"
#include "widgets/common/elided_label.h"
#include "widgets/common/empty_label.h"
#include "widgets/common/number_format.h"
#include "widgets/plot/csv_tables.h"
#include "widgets/plot/plot_legend.h"
#include "widgets/plot/plot_menu.h"
#include "widgets/plot/plot_style.h"
#include "widgets/plot/sensitivity_bars_item.h"

#include <qcustomplot.h>

#include <QComboBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QScrollBar>
#include <QStackedLayout>
#include <QVBoxLayout>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr double kSortedPitch = 18.0; ///< pixels from bar to bar where every bar has its name
constexpr int kScrollUnit = 100; ///< steps of the scroll bar per bar

QString blockOf(const QString& site)
{
    static const QRegularExpression kBlock(u"^(.*\\.\\d+)\\."_s);
    return kBlock.match(site).captured(1);
}

template<typename Enum>
void addChoice(QComboBox& box, const QString& text, Enum value)
{
    box.addItem(text, static_cast<int>(value));
}

} // namespace

SensitivityChart::SensitivityChart(QWidget* parent)
    : QWidget(parent)
    , m_content(new QWidget(this))
    , m_plot(new QCustomPlot(m_content))
    , m_empty(new EmptyLabel(tr("No sensitivities measured yet."), this))
    , m_stack(new QStackedLayout(this))
    , m_legend(new PlotLegend(m_content))
    , m_scroll(new QScrollBar(Qt::Horizontal, m_content))
    , m_metricBox(new QComboBox(m_content))
    , m_orderBox(new QComboBox(m_content))
    , m_colouringBox(new QComboBox(m_content))
    , m_readout(new ElidedLabel(Qt::ElideRight, m_content))
    , m_staleLabel(new QLabel(tr("stale"), m_content))
{
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_content);
    auto* layout = new QVBoxLayout(m_content);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addLayout(buildHeader());
    layout->addWidget(m_plot, 1);
    layout->addWidget(m_scroll);
    m_staleLabel->setVisible(false);
    buildPlot();
    setFocusProxy(m_plot);
    fillLegend();
    applyStyle();
    new PlotMenu(this, QStringLiteral("sensitivity"), [this] { return sensitivityCsv(m_results); });
}

SensitivityChart::~SensitivityChart() = default;

QLayout* SensitivityChart::buildHeader()
{
    addChoice(*m_metricBox, tr("KL of logits"), SensitivityMetric::Kl);
    addChoice(*m_metricBox, tr("noise in logits"), SensitivityMetric::Noise);
    addChoice(*m_metricBox, tr("changed top-1"), SensitivityMetric::Disagreement);
    m_metricBox->setAccessibleName(tr("Figure"));
    m_metricBox->setToolTip(tr("What the bars show; longer is worse"));
    addChoice(*m_orderBox, tr("network order"), SensitivityOrder::Network);
    addChoice(*m_orderBox, tr("worst first"), SensitivityOrder::WorstFirst);
    m_orderBox->setAccessibleName(tr("Order"));
    m_orderBox->setToolTip(tr("Order of the bars"));
    addChoice(*m_colouringBox, tr("weight or activation"), SensitivityColouring::Kind);
    addChoice(*m_colouringBox, tr("clipping and rounding"), SensitivityColouring::Cause);
    m_colouringBox->setAccessibleName(tr("Colours"));
    m_colouringBox->setToolTip(tr("What the fills tell apart"));
    connect(m_metricBox, &QComboBox::activated, this,
        [this] { setMetric(static_cast<SensitivityMetric>(m_metricBox->currentData().toInt())); });
    connect(m_orderBox, &QComboBox::activated, this,
        [this] { setOrder(static_cast<SensitivityOrder>(m_orderBox->currentData().toInt())); });
    connect(m_colouringBox, &QComboBox::activated, this,
        [this] { setColouring(static_cast<SensitivityColouring>(m_colouringBox->currentData().toInt())); });
    m_readout->setForegroundRole(QPalette::PlaceholderText);
    m_readout->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    auto* header = new QHBoxLayout;
    header->setContentsMargins(8, 2, 8, 0);
    header->setSpacing(6);
    header->addWidget(m_metricBox);
    header->addWidget(m_orderBox);
    header->addWidget(m_colouringBox);
    header->addSpacing(8);
    header->addWidget(m_legend);
    header->addWidget(m_staleLabel);
    header->addWidget(m_readout, 1);
    return header;
}

void SensitivityChart::buildPlot()
{
    m_plot->setFocusPolicy(Qt::StrongFocus);
    m_plot->setAccessibleName(tr("Sensitivity of the sites"));
    m_plot->setWhatsThis(
        tr("Click a bar to select its site. Wheel zooms, arrow keys walk through the bars."));
    m_bars = new SensitivityBarsItem(m_plot->axisRect(), u"main"_s);
    m_plot->axisRect()->setAutoMargins(QCP::msLeft | QCP::msTop | QCP::msRight);
    m_plot->axisRect()->setMinimumMargins({8, 8, 12, 0});
    m_plot->xAxis->setTickLabels(false);
    m_plot->xAxis->setTicks(false);
    m_plot->xAxis->grid()->setVisible(false);
    m_plot->installEventFilter(this);
    connect(m_scroll, &QScrollBar::valueChanged, this, [this](int value) {
        m_first = static_cast<double>(value) / kScrollUnit - 0.5;
        showRange();
    });
}

void SensitivityChart::setResults(std::vector<SiteSensitivity> results)
{
    m_results = std::move(results);
    rebuild();
}

void SensitivityChart::addResult(const SiteSensitivity& result)
{
    const auto same = std::find_if(m_results.begin(), m_results.end(),
        [&result](const SiteSensitivity& known) { return known.site == result.site; });
    if (same == m_results.end()) {
        m_results.push_back(result);
    } else {
        *same = result;
    }
    rebuild();
}

void SensitivityChart::setExpectedCount(int count)
{
    m_expected = std::max(count, 0);
    rebuild();
}

void SensitivityChart::setMetric(SensitivityMetric metric)
{
    m_metric = metric;
    m_metricBox->setCurrentIndex(m_metricBox->findData(static_cast<int>(metric)));
    rebuild();
}

void SensitivityChart::setOrder(SensitivityOrder order)
{
    m_order = order;
    m_orderBox->setCurrentIndex(m_orderBox->findData(static_cast<int>(order)));
    m_visible = 0.0;
    m_first = -0.5;
    rebuild();
}

void SensitivityChart::setColouring(SensitivityColouring colouring)
{
    m_colouring = colouring;
    m_colouringBox->setCurrentIndex(m_colouringBox->findData(static_cast<int>(colouring)));
    fillLegend();
    rebuild();
}

void SensitivityChart::setHighlighted(const QString& site)
{
    m_highlighted = site;
    mark();
}

void SensitivityChart::setStale()
{
    if (!m_staleLabel->isHidden()) {
        return;
    }
    m_bars->setOpacity(0.45);
    m_staleLabel->setVisible(true);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void SensitivityChart::setFresh()
{
    m_bars->setOpacity(1.0);
    m_staleLabel->setVisible(false);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void SensitivityChart::setEmptyText(const QString& text)
{
    m_empty->setText(text);
}

QString SensitivityChart::siteAt(int position) const
{
    if (position < 0 || position >= static_cast<int>(m_shown.size())) {
        return {};
    }
    const int index = m_shown[static_cast<std::size_t>(position)];
    return QString::fromStdString(m_results[static_cast<std::size_t>(index)].site);
}

double SensitivityChart::valueAt(int position) const
{
    return position >= 0 && position < static_cast<int>(m_shown.size())
        ? m_bars->bars()[static_cast<std::size_t>(position)].value
        : 0.0;
}

QSize SensitivityChart::sizeHint() const
{
    return {900, 240};
}

QSize SensitivityChart::minimumSizeHint() const
{
    return {320, 140};
}

void SensitivityChart::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) {
        applyStyle();
    }
}

void SensitivityChart::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    updateScroll();
    showRange();
}

void SensitivityChart::applyStyle()
{
    const PlotStyle style(palette());
    style.applyTo(*m_plot);
    m_bars->setPalette(palette());
    QPalette stale = m_staleLabel->palette();
    stale.setColor(QPalette::WindowText, style.colour(PlotRole::Stale));
    m_staleLabel->setPalette(stale);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void SensitivityChart::fillLegend()
{
    if (m_colouring == SensitivityColouring::Kind) {
        m_legend->setEntries({{PlotRole::Activation, tr("activation")}, {PlotRole::Weight, tr("weight")}});
    } else {
        m_legend->setEntries(
            {{PlotRole::RoundingError, tr("rounding")}, {PlotRole::ClippingError, tr("clipping")}});
    }
}

double SensitivityChart::valueOf(const SiteSensitivity& result) const
{
    double value = 0.0;
    switch (m_metric) {
    case SensitivityMetric::Noise: value = 100.0 * std::pow(10.0, -result.logitsSqnrDb / 20.0); break;
    case SensitivityMetric::Kl: value = result.klNats; break;
    case SensitivityMetric::Disagreement: value = 100.0 - result.agreementPercent; break;
    }
    return std::isfinite(value) ? std::max(value, 0.0) : 0.0;
}

void SensitivityChart::rebuild()
{
    m_stack->setCurrentIndex(m_results.empty() ? 0 : 1);
    m_shown.resize(m_results.size());
    std::iota(m_shown.begin(), m_shown.end(), 0);
    const auto value = [this](int index) { return valueOf(m_results[static_cast<std::size_t>(index)]); };
    if (m_order == SensitivityOrder::WorstFirst) {
        std::stable_sort(m_shown.begin(), m_shown.end(), [&](int a, int b) { return value(a) > value(b); });
    }
    std::vector<SensitivityBar> bars;
    bars.reserve(m_shown.size());
    double largest = 0.0;
    for (const int index : m_shown) {
        const SiteSensitivity& result = m_results[static_cast<std::size_t>(index)];
        const QString site = QString::fromStdString(result.site);
        const QString block = blockOf(site);
        bars.push_back({.value = value(index),
            .clippingShare = result.clippingShare,
            .label = block.isEmpty() ? site : site.mid(block.size() + 1),
            .block = block,
            .isWeight = result.kind == SiteKind::Weight});
        largest = std::max(largest, bars.back().value);
    }
    m_bars->setBars(std::move(bars));
    m_bars->setFill(m_colouring == SensitivityColouring::Kind ? SensitivityBarsItem::Fill::Kind
                                                              : SensitivityBarsItem::Fill::Cause);
    m_bars->setGrouped(m_order == SensitivityOrder::Network);
    switch (m_metric) {
    case SensitivityMetric::Noise: m_plot->yAxis->setLabel(tr("RMS noise, %")); break;
    case SensitivityMetric::Kl: m_plot->yAxis->setLabel(tr("KL, nats")); break;
    case SensitivityMetric::Disagreement: m_plot->yAxis->setLabel(tr("changed, %")); break;
    }
    m_plot->yAxis->setRange(0.0, largest > 0.0 ? largest * 1.06 : 1.0);
    updateScroll();
    mark();
    showRange();
}

int SensitivityChart::slotCount() const
{
    return std::max({static_cast<int>(m_shown.size()), m_expected, 1});
}

double SensitivityChart::visibleCount() const
{
    const double all = slotCount();
    if (m_visible > 0.0) {
        return std::min(m_visible, all);
    }
    if (m_order == SensitivityOrder::WorstFirst) {
        return std::clamp(std::floor(m_plot->width() / kSortedPitch), std::min(8.0, all), all);
    }
    return all;
}

void SensitivityChart::updateScroll()
{
    const double visible = visibleCount();
    const double hidden = slotCount() - visible;
    m_first = std::clamp(m_first, -0.5, hidden - 0.5);
    const QSignalBlocker blocker(m_scroll);
    m_scroll->setRange(0, static_cast<int>(std::lround(hidden * kScrollUnit)));
    m_scroll->setPageStep(static_cast<int>(std::lround(visible * kScrollUnit)));
    m_scroll->setSingleStep(kScrollUnit);
    m_scroll->setValue(static_cast<int>(std::lround((m_first + 0.5) * kScrollUnit)));
    m_scroll->setVisible(hidden > 0.01);
}

void SensitivityChart::showRange()
{
    const double visible = visibleCount();
    m_plot->xAxis->setRange(m_first, m_first + visible);
    applyBottomMargin();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void SensitivityChart::applyBottomMargin()
{
    const QFontMetrics metrics(PlotStyle(palette()).labelFont());
    const double pitch = m_plot->axisRect()->width() / std::max(visibleCount(), 1.0);
    const bool names = m_order == SensitivityOrder::WorstFirst || pitch >= 13.0;
    int margin = metrics.height() + 10;
    if (names) {
        int longest = 0;
        for (const SensitivityBar& bar : m_bars->bars()) {
            const QString text
                = bar.block.isEmpty() ? bar.label : bar.block.section(u'.', -1) + u'.' + bar.label;
            longest = std::max(longest, metrics.horizontalAdvance(text));
        }
        margin = std::min(longest + 16, m_plot->height() / 2);
    }
    QMargins margins = m_plot->axisRect()->margins();
    margins.setBottom(margin);
    m_plot->axisRect()->setMargins(margins);
}

int SensitivityChart::positionOfHighlighted() const
{
    for (int position = 0; position < static_cast<int>(m_shown.size()); ++position) {
        if (siteAt(position) == m_highlighted) {
            return position;
        }
    }
    return -1;
}

void SensitivityChart::mark()
{
    const int position = m_highlighted.isEmpty() ? -1 : positionOfHighlighted();
    m_bars->setHighlighted(position);
    const double visible = visibleCount();
    if (position >= 0 && (position - 0.5 < m_first || position + 0.5 > m_first + visible)) {
        m_first = position - visible / 2.0;
        updateScroll();
        showRange();
    }
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void SensitivityChart::zoom(double factor, double anchor)
{
    const double before = visibleCount();
    const double smallest = std::min(6.0, static_cast<double>(slotCount()));
    m_visible = std::clamp(before * factor, smallest, static_cast<double>(slotCount()));
    m_first = anchor - (anchor - m_first) * m_visible / before;
    updateScroll();
    showRange();
}

int SensitivityChart::positionAtPixel(double x) const
{
    return static_cast<int>(std::floor(m_plot->xAxis->pixelToCoord(x) + 0.5));
}

bool SensitivityChart::eventFilter(QObject* watched, QEvent* event)
{
    if (watched != m_plot) {
        return QWidget::eventFilter(watched, event);
    }
    switch (event->type()) {
    case QEvent::MouseButtonPress: {
        const auto& mouse = *static_cast<QMouseEvent*>(event);
        if (mouse.button() == Qt::LeftButton) {
            m_plot->setFocus(Qt::MouseFocusReason);
            chooseByUser(positionAtPixel(mouse.position().x()));
            return true;
        }
        break;
    }
    case QEvent::MouseMove: showReadout(static_cast<QMouseEvent*>(event)->position()); break;
    case QEvent::Leave: m_readout->setFullText({}); break;
    case QEvent::Wheel: {
        const auto& wheel = *static_cast<QWheelEvent*>(event);
        zoom(
            std::pow(0.8, wheel.angleDelta().y() / 120.0), m_plot->xAxis->pixelToCoord(wheel.position().x()));
        return true;
    }
    case QEvent::KeyPress:
        switch (static_cast<QKeyEvent*>(event)->key()) {
        case Qt::Key_Left: step(-1); return true;
        case Qt::Key_Right: step(1); return true;
        case Qt::Key_Plus: zoom(0.8, m_first + visibleCount() / 2.0); return true;
        case Qt::Key_Minus: zoom(1.25, m_first + visibleCount() / 2.0); return true;
        case Qt::Key_R:
            m_visible = 0.0;
            updateScroll();
            showRange();
            return true;
        default: break;
        }
        break;
    default: break;
    }
    return QWidget::eventFilter(watched, event);
}

void SensitivityChart::step(int by)
{
    const int position = positionOfHighlighted();
    const int last = static_cast<int>(m_shown.size()) - 1;
    chooseByUser(position < 0 ? 0 : std::clamp(position + by, 0, std::max(last, 0)));
}

void SensitivityChart::chooseByUser(int position)
{
    const QString site = siteAt(position);
    if (site.isEmpty()) {
        return;
    }
    setHighlighted(site);
    emit siteClicked(site);
}

void SensitivityChart::showReadout(const QPointF& pixel)
{
    const int position = positionAtPixel(pixel.x());
    if (siteAt(position).isEmpty()) {
        m_readout->setFullText({});
        m_plot->setToolTip({});
        return;
    }
    const SiteSensitivity& result
        = m_results[static_cast<std::size_t>(m_shown[static_cast<std::size_t>(position)])];
    m_readout->setFullText(tr("%1, %2 bit   KL %3 nats")
                               .arg(siteAt(position))
                               .arg(result.bits)
                               .arg(formatNumber(result.klNats, 3)));
    m_plot->setToolTip(
        tr("<b>%1</b><br>%2, %3 bit alone, all else in FP32<br>logits: SQNR %4, KL %5 nats, top-1 "
           "kept %6<br>its own values: SQNR %7, %8 of the squared error from clipping")
            .arg(siteAt(position), displayName(result.kind))
            .arg(result.bits)
            .arg(formatDecibel(result.logitsSqnrDb), formatNumber(result.klNats, 3),
                formatPercent(result.agreementPercent), formatDecibel(result.siteSqnrDb),
                formatShare(result.clippingShare)));
}

} // namespace qs
