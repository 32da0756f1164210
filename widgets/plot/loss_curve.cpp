#include "widgets/plot/loss_curve.h"

#include "widgets/common/number_format.h"
#include "widgets/plot/plot_menu.h"
#include "widgets/plot/plot_style.h"

#include <qcustomplot.h>

#include <QMouseEvent>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

/// A loss of exactly 0 has no place on a logarithmic axis.
constexpr double kLeastLoss = 1e-12;

double shown(double loss)
{
    return std::max(loss, kLeastLoss);
}

/// "3" for "blocks.3"; other names as they are.
QString shortName(const QString& section)
{
    const QString last = section.section(u'.', -1);
    bool isNumber = false;
    (void)last.toInt(&isNumber);
    return isNumber ? last : section;
}

/// 0.1, 0.2, 0.5, 1, 2, 5: evenly spread on a logarithmic axis.
class OneTwoFiveTicker final : public QCPAxisTicker
{
protected:
    QVector<double> createTickVector(double, const QCPRange& range) override
    {
        QVector<double> ticks;
        if (range.lower <= 0.0 || range.upper <= range.lower) {
            return ticks;
        }
        const auto last = static_cast<int>(std::ceil(std::log10(range.upper)));
        for (auto decade = static_cast<int>(std::floor(std::log10(range.lower))); decade <= last; ++decade) {
            for (const double digit : {1.0, 2.0, 5.0}) {
                ticks.append(digit * std::pow(10.0, decade));
            }
        }
        return ticks;
    }
    QVector<double> createSubTickVector(int, const QVector<double>&) override { return {}; }
};

} // namespace

LossCurve::LossCurve(QWidget* parent)
    : PlotWidget(parent)
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_plot);
    m_plot->setFocusPolicy(Qt::StrongFocus);
    m_plot->setAccessibleName(tr("Loss of the reconstruction"));
    m_plot->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    m_plot->xAxis->setLabel(tr("iteration, section after section"));
    m_plot->yAxis->setLabel(tr("relative loss"));
    useIntegerTicks(*m_plot->xAxis);
    useDecadeTicks(*m_plot->yAxis);
    connect(m_plot->yAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, &LossCurve::chooseTicks);
    m_plot->installEventFilter(this);
    connect(m_plot, &QCustomPlot::mouseWheel, this, [this] { m_follows = false; });
    new PlotMenu(this, u"loss"_s, [this] { return csv(); });
    restyle();
    clear();
}

LossCurve::~LossCurve() = default;

void LossCurve::clear()
{
    m_points.clear();
    m_sections.clear();
    m_starts.clear();
    m_raw.clear();
    m_smooth.clear();
    m_plot->clearGraphs();
    m_plot->clearItems();
    m_follows = true;
    m_plot->xAxis->setRange(0.0, 1.0);
    m_plot->yAxis->setRange(1e-3, 1.0);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void LossCurve::addPoints(const std::vector<LossPoint>& points)
{
    for (const LossPoint& point : points) {
        if (m_sections.empty() || m_sections.back().index != point.blockIndex) {
            beginSection(point);
        }
        m_points.push_back(point);
        SectionLoss& section = m_sections.back();
        section.iterations = point.iteration + 1;
        const std::size_t available = m_points.size() - m_starts.back();
        const std::size_t count = std::min(kLossWindow, available);
        double sum = 0.0;
        for (std::size_t i = m_points.size() - count; i < m_points.size(); ++i) {
            sum += m_points[i].loss;
        }
        section.last = sum / static_cast<double>(count);
        m_raw.back()->addData(position(point), shown(point.loss));
        m_smooth.back()->addData(position(point), shown(section.last));
    }
    if (m_follows) {
        followRun();
    }
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

double LossCurve::position(const LossPoint& point) const
{
    return static_cast<double>(m_sections.back().begin + point.iteration);
}

void LossCurve::beginSection(const LossPoint& point)
{
    // Sections that were kept from an earlier run leave their place empty.
    const std::int64_t start = m_sections.empty() ? point.blockIndex * point.iterations
                                                  : m_sections.back().begin + m_sections.back().total;
    m_starts.push_back(m_points.size());
    m_sections.push_back({QString::fromStdString(point.block), point.blockIndex, point.loss, point.loss, 0,
        point.iterations, start});
    m_raw.push_back(m_plot->addGraph());
    m_smooth.push_back(m_plot->addGraph());
    const auto begin = static_cast<double>(start);
    if (m_sections.size() % 2 == 0) { // every other section stands on a band
        auto* band = new QCPItemRect(m_plot);
        band->setLayer(u"background"_s);
        band->topLeft->setTypeY(QCPItemPosition::ptAxisRectRatio);
        band->bottomRight->setTypeY(QCPItemPosition::ptAxisRectRatio);
        band->topLeft->setCoords(begin, 0.0);
        band->bottomRight->setCoords(begin + static_cast<double>(point.iterations), 1.0);
        band->setPen(Qt::NoPen);
    }
    auto* name = new QCPItemText(m_plot);
    name->position->setTypeY(QCPItemPosition::ptAxisRectRatio);
    name->setPositionAlignment(Qt::AlignTop | Qt::AlignHCenter);
    name->position->setCoords(begin + static_cast<double>(point.iterations) / 2.0, 0.01);
    name->setText(shortName(m_sections.back().name));
    styleGraphs();
}

void LossCurve::styleGraphs()
{
    const PlotStyle style(palette());
    QColor pale = style.colour(PlotRole::Activation);
    pale.setAlphaF(0.35F);
    for (QCPGraph* graph : m_raw) {
        graph->setLineStyle(QCPGraph::lsNone);
        graph->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssDisc, pale, pale, 2.5));
    }
    QPen pen = style.pen(PlotRole::Activation);
    pen.setWidthF(1.8);
    for (QCPGraph* graph : m_smooth) {
        graph->setPen(pen);
    }
    for (int i = 0; i < m_plot->itemCount(); ++i) {
        if (auto* band = qobject_cast<QCPItemRect*>(m_plot->item(i))) {
            QColor fill = style.faintLine();
            fill.setAlphaF(0.35F);
            band->setBrush(fill);
        } else if (auto* name = qobject_cast<QCPItemText*>(m_plot->item(i))) {
            name->setColor(style.mutedText());
            name->setFont(style.labelFont());
        }
    }
}

void LossCurve::applyStyle(const PlotStyle&)
{
    styleGraphs();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

/// Powers of ten are too far apart for a range of a few.
void LossCurve::chooseTicks(const QCPRange& range)
{
    constexpr double kDecades = 50.0;
    const bool isNarrow = range.lower > 0.0 && range.upper / range.lower < kDecades;
    if (isNarrow == m_isNarrow) {
        return;
    }
    m_isNarrow = isNarrow;
    if (isNarrow) {
        useLinearTicks(*m_plot->yAxis); // its numbers
        m_plot->yAxis->setScaleType(QCPAxis::stLogarithmic);
        m_plot->yAxis->setTicker(QSharedPointer<QCPAxisTicker>(new OneTwoFiveTicker));
    } else {
        useDecadeTicks(*m_plot->yAxis);
    }
}

void LossCurve::followRun()
{
    if (m_points.empty()) {
        return;
    }
    const SectionLoss& latest = m_sections.back();
    const auto total = static_cast<double>(
        latest.begin + (m_points.back().blocks - latest.index) * latest.total); // others as long as this
    const auto [least, most] = std::ranges::minmax(m_points, {}, &LossPoint::loss);
    m_plot->xAxis->setRange(0.0, total);
    m_plot->yAxis->setRange(shown(least.loss) / 1.5, shown(most.loss) * 2.2); // room for the names on top
}

void LossCurve::showAll()
{
    m_follows = true;
    followRun();
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

int LossCurve::sectionAt(double pixel) const
{
    const double iteration = m_plot->xAxis->pixelToCoord(pixel);
    for (std::size_t i = 0; i < m_sections.size(); ++i) {
        const auto begin = static_cast<double>(m_sections[i].begin);
        if (iteration >= begin && iteration < begin + static_cast<double>(m_sections[i].total)) {
            return static_cast<int>(i);
        }
    }
    return -1;
}

void LossCurve::showReadout(double pixel)
{
    const int index = sectionAt(pixel);
    if (index < 0) {
        m_plot->setToolTip({});
        return;
    }
    const auto at = static_cast<std::size_t>(index);
    const SectionLoss& section = m_sections[at];
    const auto iteration = static_cast<std::int64_t>(m_plot->xAxis->pixelToCoord(pixel)) - section.begin;
    const std::int64_t first = m_points[m_starts[at]].iteration; // a resumed section begins later
    const std::size_t point
        = m_starts[at] + static_cast<std::size_t>(std::max<std::int64_t>(0, iteration - first));
    const std::size_t end = at + 1 < m_starts.size() ? m_starts[at + 1] : m_points.size();
    if (point >= end) {
        m_plot->setToolTip(section.name);
        return;
    }
    m_plot->setToolTip(tr("%1\niteration %2 of %3: loss %4")
                           .arg(section.name)
                           .arg(m_points[point].iteration + 1)
                           .arg(section.total)
                           .arg(formatNumber(m_points[point].loss)));
}

bool LossCurve::eventFilter(QObject* watched, QEvent* event)
{
    switch (event->type()) {
    case QEvent::MouseMove:
        showReadout(static_cast<QMouseEvent*>(event)->position().x());
        if ((static_cast<QMouseEvent*>(event)->buttons() & Qt::LeftButton) != 0) {
            m_follows = false;
        }
        break;
    case QEvent::MouseButtonDblClick: showAll(); break;
    case QEvent::MouseButtonRelease: {
        const auto& mouse = *static_cast<QMouseEvent*>(event);
        const int section = sectionAt(mouse.position().x());
        if (mouse.button() == Qt::LeftButton && section >= 0
            && m_plot->axisRect()->rect().contains(mouse.position().toPoint())) {
            emit sectionClicked(m_sections[static_cast<std::size_t>(section)].name);
        }
        break;
    }
    case QEvent::KeyPress:
        if (static_cast<QKeyEvent*>(event)->key() == Qt::Key_R) {
            showAll();
            return true;
        }
        break;
    default: break;
    }
    return QWidget::eventFilter(watched, event);
}

QString LossCurve::csv() const
{
    QString text = u"block,iteration,loss\n"_s;
    for (const LossPoint& point : m_points) {
        text += u"%1,%2,%3\n"_s.arg(QString::fromStdString(point.block))
                    .arg(point.iteration)
                    .arg(point.loss, 0, 'f', 9);
    }
    return text;
}

QSize LossCurve::sizeHint() const
{
    return {520, 220};
}

} // namespace qs
