#include "widgets/plot/sensitivity_chart.h"

#include "widgets/common/elided_label.h"
#include "widgets/common/empty_label.h"
#include "widgets/plot/csv_tables.h"
#include "widgets/plot/plot_legend.h"
#include "widgets/plot/plot_menu.h"
#include "widgets/plot/plot_style.h"
#include "widgets/plot/sensitivity_menu.h"
#include "widgets/plot/sensitivity_panels.h"
#include "widgets/plot/sensitivity_text.h"

#include <qcustomplot.h>

#include <QComboBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QScrollBar>
#include <QStackedLayout>
#include <QToolButton>
#include <QVBoxLayout>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>
#include <utility>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr double kSortedPitch = 18.0; ///< pixels from bar to bar where every bar has its name
constexpr int kScrollUnit = 100; ///< steps of the scroll bar per bar
constexpr double kNamePitch = 13.0; ///< pixels from bar to bar that leave room for upright names

template<typename Enum>
void addChoice(QComboBox& box, const QString& text, Enum value)
{
    box.addItem(text, static_cast<int>(value));
}

} // namespace

SensitivityChart::SensitivityChart(QWidget* parent)
    : PlotWidget(parent)
    , m_content(new QWidget(this))
    , m_empty(new EmptyLabel(tr("No sensitivities measured yet."), this))
    , m_stack(new QStackedLayout)
    , m_legend(new PlotLegend(this))
    , m_scroll(new QScrollBar(Qt::Horizontal, m_content))
    , m_metricBox(new QComboBox(this))
    , m_allBox(new QToolButton(this))
    , m_orderBox(new QComboBox(this))
    , m_colouringBox(new QComboBox(this))
    , m_readout(new ElidedLabel(Qt::ElideRight, this))
    , m_staleLabel(new QLabel(this))
    , m_menu(new SensitivityMenu(this))
{
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    outer->setSpacing(2);
    outer->addLayout(buildHeader());
    outer->addLayout(m_stack, 1);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_content);
    auto* layout = new QVBoxLayout(m_content);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addWidget(m_plot, 1);
    layout->addWidget(m_scroll);
    m_staleLabel->setVisible(false);
    buildPlot();
    fillLegend();
    restyle();
    new PlotMenu(this, QStringLiteral("sensitivity"), [this] { return sensitivityCsv(m_results); });
}

SensitivityChart::~SensitivityChart() = default;

QLayout* SensitivityChart::buildHeader()
{
    fillMetrics();
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
    m_allBox->setText(tr("all figures"));
    m_allBox->setCheckable(true);
    m_allBox->setToolTip(tr("All measured figures below each other, bars in the order of the chosen one"));
    connect(m_allBox, &QToolButton::clicked, this, &SensitivityChart::setSideBySide);
    connect(m_menu, &SensitivityMenu::measureRequested, this, &SensitivityChart::measureRequested);
    m_readout->setForegroundRole(QPalette::PlaceholderText);
    m_readout->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    auto* header = new QHBoxLayout;
    header->setContentsMargins(8, 2, 8, 0);
    header->setSpacing(6);
    header->addWidget(m_menu);
    header->addWidget(m_metricBox);
    header->addWidget(m_allBox);
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
    m_panels = std::make_unique<SensitivityPanels>(m_plot);
    makePanels();
    m_plot->installEventFilter(this);
    connect(m_scroll, &QScrollBar::valueChanged, this, [this](int value) {
        m_first = static_cast<double>(value) / kScrollUnit - 0.5;
        showRange();
    });
}

void SensitivityChart::setResults(std::vector<SiteSensitivity> results)
{
    m_results = std::move(results);
    fillMetrics();
    makePanels();
    rebuild();
}

void SensitivityChart::fillMetrics()
{
    const std::vector<SensitivityMetric> measured = measuredMetrics(m_results);
    if (measured == m_offered) {
        return;
    }
    m_offered = measured;
    m_metricBox->clear();
    for (const SensitivityMetric metric : measured) {
        addChoice(*m_metricBox, displayName(metric), metric);
    }
    if (std::ranges::find(measured, m_metric) == measured.end()) {
        m_metric = SensitivityMetric::Kl;
    }
    m_metricBox->setCurrentIndex(m_metricBox->findData(static_cast<int>(m_metric)));
}

void SensitivityChart::makePanels()
{
    m_panels->setMetrics(m_sideBySide ? m_offered : std::vector<SensitivityMetric> {m_metric});
    restyle();
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
    makePanels();
    rebuild();
}

void SensitivityChart::setSideBySide(bool sideBySide)
{
    m_sideBySide = sideBySide;
    m_allBox->setChecked(sideBySide);
    makePanels();
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

void SensitivityChart::setStale(const QStringList& sites)
{
    std::set<QString> stale(sites.begin(), sites.end());
    if (stale == m_stale) {
        return;
    }
    m_stale = std::move(stale);
    m_staleLabel->setText(tr("%n stale", nullptr, static_cast<int>(sites.size())));
    m_staleLabel->setToolTip(
        tr("Their quantizers have changed; Run › Sensitivity measures them again, and only them."));
    m_staleLabel->setVisible(!m_stale.empty());
    rebuild();
}

void SensitivityChart::setEmptyText(const QString& text)
{
    m_empty->setText(text);
}

const std::vector<SensitivityBar>& SensitivityChart::bars() const
{
    return m_panels->bars();
}

QString SensitivityChart::siteAt(int position) const
{
    return position >= 0 && position < static_cast<int>(bars().size())
        ? bars()[static_cast<std::size_t>(position)].site
        : QString();
}

double SensitivityChart::valueAt(int position) const
{
    return position >= 0 && position < static_cast<int>(bars().size())
        ? bars()[static_cast<std::size_t>(position)].tallest()
        : 0.0;
}

int SensitivityChart::panelCount() const
{
    return m_panels->count();
}

QSize SensitivityChart::sizeHint() const
{
    return {900, 240};
}

QSize SensitivityChart::minimumSizeHint() const
{
    return {320, 140};
}

void SensitivityChart::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    updateScroll();
    showRange();
}

void SensitivityChart::applyStyle(const PlotStyle& style)
{
    m_panels->applyStyle(style, palette());
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

void SensitivityChart::rebuild()
{
    m_stack->setCurrentIndex(m_results.empty() ? 0 : 1);
    m_panels->setResults(m_results, {m_metric, m_order, m_colouring}, m_stale);
    updateScroll();
    mark();
    showRange();
}

int SensitivityChart::slotCount() const
{
    return std::max({static_cast<int>(bars().size()), m_expected, 1});
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
    m_panels->setRange(m_first, m_first + visible);
    const double pitch = m_plot->axisRect()->width() / std::max(visible, 1.0);
    m_panels->setBottomMargin(m_order == SensitivityOrder::WorstFirst || pitch >= kNamePitch);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

int SensitivityChart::positionOfHighlighted() const
{
    for (int position = 0; position < static_cast<int>(bars().size()); ++position) {
        if (siteAt(position) == m_highlighted) {
            return position;
        }
    }
    return -1;
}

void SensitivityChart::mark()
{
    const int position = m_highlighted.isEmpty() ? -1 : positionOfHighlighted();
    m_panels->setHighlighted(position);
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
    const int last = static_cast<int>(bars().size()) - 1;
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
    m_readout->setFullText(
        sensitivityReadout(bars()[static_cast<std::size_t>(position)], m_panels->firstMetric()));
    m_plot->setToolTip(sensitivityTip(m_results, siteAt(position)));
}

} // namespace qs
