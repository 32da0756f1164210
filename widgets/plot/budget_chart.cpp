#include "widgets/plot/budget_chart.h"

#include "widgets/common/empty_label.h"
#include "widgets/common/number_format.h"
#include "widgets/plot/draggable_bound.h"
#include "widgets/plot/plot_menu.h"
#include "widgets/plot/plot_style.h"

#include <qcustomplot.h>

#include <QKeyEvent>
#include <QMouseEvent>
#include <QStackedLayout>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr double kMostDb = 90.0; ///< more is as good as equal; keeps infinities in sight
constexpr double kSlack = 1e-9; ///< of adding up bits
const QString kLiveLayer = u"live"_s;

/// Whether the plan can be predicted: its bits were measured.
bool isKnown(const BudgetPoint& point)
{
    return point.sqnrDb > -std::numeric_limits<double>::infinity();
}

double shownDb(const BudgetPoint& point)
{
    return std::clamp(point.sqnrDb, -kMostDb, kMostDb);
}

} // namespace

BudgetChart::BudgetChart(QWidget* parent)
    : PlotWidget(parent)
    , m_empty(new EmptyLabel(QString(), this))
    , m_stack(new QStackedLayout(this))
{
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_plot);
    m_plot->setFocusPolicy(Qt::StrongFocus);
    m_plot->setAccessibleName(tr("Best plans for every budget of bits"));
    m_plot->setWhatsThis(tr(
        "Drag the line, or move it with the arrow keys: the best plan within that budget is taken when the "
        "movement ends. Escape takes it back. Wheel zooms, R shows everything."));
    m_plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    m_plot->axisRect()->setRangeDrag(Qt::Horizontal);
    m_plot->axisRect()->setRangeZoom(Qt::Horizontal);
    m_plot->xAxis->setLabel(tr("mean bits"));
    m_plot->yAxis->setLabel(tr("predicted SQNR, dB"));
    useLinearTicks(*m_plot->xAxis);
    useLinearTicks(*m_plot->yAxis);
    m_plot->addLayer(kLiveLayer);
    m_liveLayer = m_plot->layer(kLiveLayer);
    m_liveLayer->setMode(QCPLayer::lmBuffered);
    m_plot->installEventFilter(this); // before the budget: what it does not take comes here
    buildGraphs();
    m_budget = new DraggableBound(m_plot, DraggableBound::Side::Upper, kLiveLayer);
    m_budget->setObjectName(u"budget"_s);
    m_budget->setStepFunction([this](double value, int steps) { return stepped(value, steps); });
    connect(m_budget, &DraggableBound::moved, this, [this] { m_liveLayer->replot(); });
    connect(m_budget, &DraggableBound::activated, m_budget, &DraggableBound::activate);
    connect(m_budget, &DraggableBound::edited, this, [this](double value, EditPhase phase) {
        showChosen();
        emit budgetEdited(value, phase);
    });
    new PlotMenu(this, u"budget"_s, [this] { return csv(); });
    restyle();
}

void BudgetChart::buildGraphs()
{
    m_line = m_plot->addGraph();
    m_presentMark = m_plot->addGraph();
    m_chosenMark = m_plot->addGraph();
    m_chosenMark->setLayer(kLiveLayer);
    for (QCPGraph* mark : {m_presentMark, m_chosenMark}) {
        mark->setLineStyle(QCPGraph::lsNone);
    }
}

void BudgetChart::setFront(std::vector<BudgetPoint> front)
{
    if (front == m_front) {
        return;
    }
    m_front = std::move(front);
    m_stack->setCurrentIndex(m_front.empty() ? 0 : 1);
    QVector<double> bits;
    QVector<double> decibels;
    for (const BudgetPoint& point : m_front) {
        bits << point.meanBits;
        decibels << shownDb(point);
    }
    m_line->setData(bits, decibels, true);
    if (!m_front.empty()) {
        m_budget->setLimits(m_front.front().meanBits, m_front.back().meanBits);
        m_budget->setValue(std::clamp(m_budget->value(), m_front.front().meanBits, m_front.back().meanBits));
    }
    showChosen();
    resetView();
}

void BudgetChart::setPresent(const std::optional<BudgetPoint>& present)
{
    m_present = present;
    m_presentMark->data()->clear();
    if (present) {
        if (isKnown(*present)) {
            m_presentMark->addData(present->meanBits, shownDb(*present));
        }
        if (!m_front.empty()) {
            m_budget->setValue(
                std::clamp(present->meanBits, m_front.front().meanBits, m_front.back().meanBits));
        }
    }
    showChosen();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void BudgetChart::setEmptyText(const QString& text)
{
    m_empty->setText(text);
}

double BudgetChart::budget() const
{
    return m_budget->value();
}

int BudgetChart::chosen() const
{
    const auto beyond = std::ranges::find_if(
        m_front, [this](const BudgetPoint& point) { return point.meanBits > budget() + kSlack; });
    const auto within = static_cast<int>(beyond - m_front.begin()) - 1;
    return m_front.empty() ? -1 : std::max(within, 0);
}

QString BudgetChart::csv() const
{
    QString text = u"mean_bits,predicted_sqnr_db\n"_s;
    for (const BudgetPoint& point : m_front) {
        text += u"%1,%2\n"_s.arg(point.meanBits, 0, 'g', 9).arg(point.sqnrDb, 0, 'g', 9);
    }
    return text;
}

QSize BudgetChart::sizeHint() const
{
    return {420, 200};
}

void BudgetChart::applyStyle(const PlotStyle& style)
{
    QPen line = style.pen(PlotRole::Activation);
    line.setWidthF(1.4);
    m_line->setPen(line);
    m_line->setScatterStyle(
        QCPScatterStyle(QCPScatterStyle::ssDisc, style.colour(PlotRole::Activation), 4.0));
    const QColor present = style.colour(PlotRole::Bound);
    m_presentMark->setScatterStyle(
        QCPScatterStyle(QCPScatterStyle::ssDiamond, QPen(present, 1.0), QBrush(present), 7.0));
    m_chosenMark->setScatterStyle(QCPScatterStyle(
        QCPScatterStyle::ssCircle, QPen(style.colour(PlotRole::Selection), 2.0), QBrush(Qt::NoBrush), 11.0));
    m_budget->applyPalette(palette());
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void BudgetChart::resetView()
{
    if (m_front.empty()) {
        return;
    }
    double lowest = shownDb(m_front.front());
    double highest = shownDb(m_front.back());
    if (m_present && isKnown(*m_present)) {
        lowest = std::min(lowest, shownDb(*m_present));
        highest = std::max(highest, shownDb(*m_present));
    }
    const double bits = std::max(m_front.back().meanBits - m_front.front().meanBits, 0.1);
    m_plot->xAxis->setRange(m_front.front().meanBits - 0.05 * bits, m_front.back().meanBits + 0.05 * bits);
    const double decibels = std::max(highest - lowest, 1.0);
    m_plot->yAxis->setRange(lowest - 0.08 * decibels, highest + 0.25 * decibels); // room for the label
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void BudgetChart::showChosen()
{
    m_chosenMark->data()->clear();
    if (const int index = chosen(); index >= 0) {
        const BudgetPoint& point = m_front[static_cast<std::size_t>(index)];
        m_chosenMark->addData(point.meanBits, shownDb(point));
        m_plot->setAccessibleDescription(
            tr("budget %1 bits, predicted %2").arg(formatNumber(budget()), formatDecibel(point.sqnrDb)));
    }
    m_liveLayer->replot();
}

double BudgetChart::stepped(double value, int steps) const
{
    if (m_front.empty()) {
        return value;
    }
    const auto at = [this](const BudgetPoint& point) { return point.meanBits; };
    auto index = steps > 0
        ? std::ranges::upper_bound(m_front, value + kSlack, {}, at) - m_front.begin() + steps - 1
        : std::ranges::lower_bound(m_front, value - kSlack, {}, at) - m_front.begin() + steps;
    index = std::clamp<std::ptrdiff_t>(index, 0, static_cast<std::ptrdiff_t>(m_front.size()) - 1);
    return m_front[static_cast<std::size_t>(index)].meanBits;
}

bool BudgetChart::eventFilter(QObject* watched, QEvent* event)
{
    switch (event->type()) {
    case QEvent::MouseMove: {
        const auto& mouse = *static_cast<QMouseEvent*>(event);
        if (mouse.buttons() == Qt::NoButton) {
            showReadout(mouse.position().x());
        }
        break;
    }
    case QEvent::MouseButtonDblClick: resetView(); break;
    case QEvent::FocusIn: m_budget->activate(); break;
    case QEvent::FocusOut: m_budget->deactivate(); break;
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

void BudgetChart::showReadout(double pixel)
{
    if (m_front.empty()) {
        return;
    }
    const double bits = m_plot->xAxis->pixelToCoord(pixel);
    const auto nearest = std::ranges::min_element(
        m_front, {}, [bits](const BudgetPoint& point) { return std::abs(point.meanBits - bits); });
    m_plot->setToolTip(
        tr("%1 bits: %2").arg(formatNumber(nearest->meanBits), formatDecibel(nearest->sqnrDb)));
}

} // namespace qs
