#include "widgets/plot/channel_map.h"

#include "widgets/common/display_names.h"
#include "widgets/common/elided_label.h"
#include "widgets/common/empty_label.h"
#include "widgets/common/number_format.h"
#include "widgets/plot/channel_colour_map.h"
#include "widgets/plot/channel_overlay_item.h"
#include "widgets/plot/csv_tables.h"
#include "widgets/plot/plot_menu.h"
#include "widgets/plot/plot_style.h"

#include <qcustomplot.h>

#include <QComboBox>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QStackedLayout>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <utility>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

const QString kOverlayLayer = u"channels"_s;
constexpr double kDragDistance = 4.0; ///< pixels before a press becomes a brush

} // namespace

ChannelMap::ChannelMap(QWidget* parent)
    : PlotWidget(parent)
    , m_content(new QWidget(this))
    , m_empty(new EmptyLabel(tr("No channels to show."), this))
    , m_stack(new QStackedLayout(this))
    , m_orderBox(new QComboBox(m_content))
    , m_readout(new ElidedLabel(Qt::ElideRight, m_content))
    , m_title(new QLabel(m_content))
{
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_content);
    auto* layout = new QVBoxLayout(m_content);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(2);
    layout->addLayout(buildHeader());
    layout->addWidget(m_plot, 1);
    buildPlot();
    setFocusProxy(m_plot);
    restyle();
    new PlotMenu(this, QStringLiteral("channels"),
        [this] { return m_statistics ? channelCsv(*m_statistics, m_bounds) : QString(); });
}

ChannelMap::~ChannelMap() = default;

QLayout* ChannelMap::buildHeader()
{
    m_orderBox->addItem(tr("by index"), QVariant::fromValue(ChannelOrder::Index));
    m_orderBox->addItem(tr("by range"), QVariant::fromValue(ChannelOrder::Range));
    m_orderBox->addItem(tr("by max |x|"), QVariant::fromValue(ChannelOrder::Magnitude));
    m_orderBox->addItem(tr("by error"), QVariant::fromValue(ChannelOrder::Error));
    m_orderBox->setAccessibleName(tr("Order of channels"));
    m_orderBox->setToolTip(
        tr("Order of the channels from left to right; all but index from the largest down"));
    connect(m_orderBox, &QComboBox::activated, this, [this] {
        setOrder(m_orderBox->currentData().value<ChannelOrder>());
        emit orderChanged(m_order);
    });
    m_readout->setForegroundRole(QPalette::PlaceholderText);
    m_readout->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    auto* header = new QHBoxLayout;
    header->setContentsMargins(8, 2, 8, 0);
    header->setSpacing(6);
    header->addWidget(m_title);
    header->addWidget(m_orderBox);
    header->addWidget(m_readout, 1);
    return header;
}

void ChannelMap::buildPlot()
{
    m_plot->setFocusPolicy(Qt::StrongFocus);
    m_plot->setAccessibleName(tr("Channels by value"));
    m_plot->setWhatsThis(
        tr("Click a channel to see its own histogram; drag to mark several. Arrow keys move the "
           "selection, Escape gives it up; the wheel zooms, R shows all channels."));
    m_colours = std::make_unique<ChannelColourMap>(m_plot);
    m_plot->addLayer(kOverlayLayer);
    m_overlayLayer = m_plot->layer(kOverlayLayer);
    m_overlayLayer->setMode(QCPLayer::lmBuffered);
    m_overlay = new ChannelOverlayItem(m_plot->axisRect(), kOverlayLayer);
    m_plot->axisRect()->setMinimumMargins({8, 6, 12, 0});
    m_plot->axisRect()->setRangeZoom(Qt::Horizontal);
    m_plot->axisRect()->setRangeZoomFactor(0.8);
    m_plot->yAxis->setLabel(tr("value"));
    m_plot->xAxis->grid()->setVisible(false);
    useIntegerTicks(*m_plot->xAxis);
    m_plot->setInteractions(QCP::iRangeZoom);
    m_plot->installEventFilter(this);
    connect(
        m_plot->xAxis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, &ChannelMap::constrainRange);
}

void ChannelMap::setStatistics(std::shared_ptr<const SiteStatistics> statistics)
{
    const std::size_t before = m_statistics ? m_statistics->groups.size() : 0;
    m_statistics = std::move(statistics);
    const std::size_t now = m_statistics ? m_statistics->groups.size() : 0;
    m_brushed.clear();
    m_pressPosition = -1; // a press on other channels says nothing of these
    m_brushing = false;
    if (now != before) {
        m_selected = -1;
        m_bounds.clear();
        m_errors.clear();
    }
    m_stack->setCurrentIndex(now > 0 ? 1 : 0);
    rebuild();
    if (now != before) {
        resetView();
    }
}

void ChannelMap::setChannelBounds(std::vector<Bounds> bounds)
{
    m_bounds = std::move(bounds);
    updateBounds();
    replotOverlay();
}

void ChannelMap::setChannelErrors(std::vector<double> errors)
{
    m_errors = std::move(errors);
    if (m_order == ChannelOrder::Error) {
        rebuild();
    }
}

void ChannelMap::setSelectedChannel(int channel)
{
    const bool exists
        = m_statistics && channel >= 0 && channel < static_cast<int>(m_statistics->groups.size());
    m_selected = exists ? channel : -1;
    m_overlay->setSelected(positionOf(m_selected));
    scrollTo(positionOf(m_selected));
    replotOverlay();
}

void ChannelMap::setOrder(ChannelOrder order)
{
    m_orderBox->setCurrentIndex(m_orderBox->findData(QVariant::fromValue(order)));
    if (order != m_order) {
        m_order = order;
        rebuild();
    }
}

int ChannelMap::channelAt(int position) const
{
    return position >= 0 && position < static_cast<int>(m_channels.size())
        ? m_channels[static_cast<std::size_t>(position)]
        : -1;
}

int ChannelMap::positionOf(int channel) const
{
    return channel >= 0 && channel < static_cast<int>(m_positions.size())
        ? m_positions[static_cast<std::size_t>(channel)]
        : -1;
}

void ChannelMap::setEmptyText(const QString& text)
{
    m_empty->setText(text);
}

QSize ChannelMap::sizeHint() const
{
    return {640, 240};
}

QSize ChannelMap::minimumSizeHint() const
{
    return {260, 120};
}

void ChannelMap::applyStyle(const PlotStyle& style)
{
    m_colours->applyStyle(style);
    m_overlay->setPalette(palette());
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void ChannelMap::rebuild()
{
    if (!m_statistics || m_statistics->groups.empty()) {
        m_channels.clear();
        m_positions.clear();
        return;
    }
    m_channels = channelOrder(*m_statistics, m_order, m_errors);
    m_positions.assign(m_channels.size(), 0);
    std::vector<Bounds> envelope(m_channels.size());
    for (std::size_t position = 0; position < m_channels.size(); ++position) {
        const auto channel = static_cast<std::size_t>(m_channels[position]);
        m_positions[channel] = static_cast<int>(position);
        const GroupStatistics& group = m_statistics->groups[channel];
        envelope[position] = {static_cast<double>(group.minimum), static_cast<double>(group.maximum)};
    }
    m_colours->show(*m_statistics, m_channels);
    m_overlay->setEnvelope(std::move(envelope));
    m_overlay->setSelected(positionOf(m_selected));
    m_overlay->setBrush(0, -1); // its channels are no longer side by side
    updateBounds();
    updateTexts();
    const QString axis = displayName(m_statistics->axis);
    m_title->setText(m_statistics->axis == GroupAxis::Head ? tr("Heads") : tr("Channels"));
    m_plot->xAxis->setLabel(m_order == ChannelOrder::Index ? axis : tr("%1, by rank").arg(axis));
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void ChannelMap::updateBounds()
{
    std::vector<Bounds> shown;
    if (m_bounds.size() == 1) {
        shown = m_bounds;
    } else if (m_bounds.size() == m_channels.size()) {
        shown.reserve(m_channels.size());
        for (const int channel : m_channels) {
            shown.push_back(m_bounds[static_cast<std::size_t>(channel)]);
        }
    }
    m_overlay->setBounds(std::move(shown));
}

void ChannelMap::setZeroedShares(std::vector<double> shares)
{
    if (shares != m_zeroed) {
        m_zeroed = std::move(shares);
        updateTexts();
        replotOverlay();
    }
}

void ChannelMap::updateTexts()
{
    std::vector<QString> texts;
    if (m_zeroed.size() == m_channels.size()) {
        for (const int channel : m_channels) {
            texts.push_back(formatShare(m_zeroed[static_cast<std::size_t>(channel)]));
        }
    }
    m_overlay->setTexts(std::move(texts));
    m_plot->setToolTip(
        m_zeroed.empty() ? QString() : tr("On top: share of the head's attention that becomes zero"));
}

void ChannelMap::replotOverlay()
{
    m_overlayLayer->replot();
}

void ChannelMap::resetView()
{
    m_plot->xAxis->setRange(-0.5, static_cast<double>(m_channels.size()) - 0.5);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void ChannelMap::constrainRange()
{
    if (m_channels.empty()) {
        return;
    }
    QCPRange range = m_plot->xAxis->range();
    const double upper = static_cast<double>(m_channels.size()) - 0.5;
    if (range.size() < 4.0) {
        const double smallest = std::min(4.0, upper + 0.5);
        range = QCPRange(range.center() - smallest / 2.0, range.center() + smallest / 2.0);
    }
    range = range.bounded(-0.5, upper);
    if (range != m_plot->xAxis->range()) {
        const QSignalBlocker blocker(m_plot->xAxis);
        m_plot->xAxis->setRange(range);
    }
}

bool ChannelMap::eventFilter(QObject* watched, QEvent* event)
{
    if (watched != m_plot) {
        return QWidget::eventFilter(watched, event);
    }
    bool taken = false;
    switch (event->type()) {
    case QEvent::MouseButtonPress: taken = mousePressed(*static_cast<QMouseEvent*>(event)); break;
    case QEvent::MouseMove: taken = mouseMoved(*static_cast<QMouseEvent*>(event)); break;
    case QEvent::MouseButtonRelease: taken = mouseReleased(*static_cast<QMouseEvent*>(event)); break;
    case QEvent::MouseButtonDblClick: taken = true; break;
    case QEvent::KeyPress: taken = handleKey(static_cast<QKeyEvent*>(event)->key()); break;
    case QEvent::Leave: m_readout->setFullText({}); break;
    default: break;
    }
    return taken || QWidget::eventFilter(watched, event);
}

int ChannelMap::positionAtPixel(double x) const
{
    const double position = std::floor(m_plot->xAxis->pixelToCoord(x) + 0.5);
    return static_cast<int>(std::clamp(position, 0.0, static_cast<double>(m_channels.size()) - 1.0));
}

bool ChannelMap::mousePressed(const QMouseEvent& event)
{
    if (event.button() != Qt::LeftButton || m_channels.empty()
        || !m_plot->axisRect()->rect().contains(event.position().toPoint())) {
        return false;
    }
    m_plot->setFocus(Qt::MouseFocusReason);
    m_pressX = event.position().x();
    m_pressPosition = positionAtPixel(m_pressX);
    m_brushing = false;
    return true;
}

bool ChannelMap::mouseMoved(const QMouseEvent& event)
{
    showReadout(event.position());
    if (m_pressPosition < 0) {
        return false;
    }
    if (std::abs(event.position().x() - m_pressX) >= kDragDistance) {
        m_brushing = true;
    }
    if (m_brushing) {
        updateBrush(m_pressPosition, positionAtPixel(event.position().x()));
    }
    return true;
}

bool ChannelMap::mouseReleased(const QMouseEvent& event)
{
    if (m_pressPosition < 0 || event.button() != Qt::LeftButton) {
        return false;
    }
    const int position = std::exchange(m_pressPosition, -1);
    if (!std::exchange(m_brushing, false)) {
        if (!m_brushed.isEmpty()) {
            m_brushed.clear();
            m_overlay->setBrush(0, -1);
            emit brushChanged(m_brushed);
        }
        selectByUser(channelAt(position));
    }
    return true;
}

bool ChannelMap::handleKey(int key)
{
    const int count = static_cast<int>(m_channels.size());
    const int position = positionOf(m_selected);
    switch (key) {
    case Qt::Key_Left:
        selectByUser(channelAt(position < 0 ? count - 1 : std::max(position - 1, 0)));
        return true;
    case Qt::Key_Right: selectByUser(channelAt(std::min(position + 1, count - 1))); return true;
    case Qt::Key_Home: selectByUser(channelAt(0)); return true;
    case Qt::Key_End: selectByUser(channelAt(count - 1)); return true;
    case Qt::Key_Escape:
        if (m_selected < 0 && m_brushed.isEmpty()) {
            return false;
        }
        if (!m_brushed.isEmpty()) {
            m_brushed.clear();
            m_overlay->setBrush(0, -1);
            emit brushChanged(m_brushed);
        }
        selectByUser(-1);
        return true;
    case Qt::Key_R: resetView(); return true;
    default: return false;
    }
}

void ChannelMap::selectByUser(int channel)
{
    const bool changed = channel != m_selected;
    setSelectedChannel(channel);
    if (changed) {
        emit channelSelected(m_selected);
    }
}

void ChannelMap::updateBrush(int from, int to)
{
    const auto [first, last] = std::minmax(from, to);
    QVector<int> brushed;
    for (int position = first; position <= last; ++position) {
        brushed.append(channelAt(position));
    }
    std::sort(brushed.begin(), brushed.end());
    m_overlay->setBrush(first, last);
    replotOverlay();
    if (brushed != m_brushed) {
        m_brushed = std::move(brushed);
        emit brushChanged(m_brushed);
    }
}

void ChannelMap::scrollTo(int position)
{
    const QCPRange range = m_plot->xAxis->range();
    if (position < 0 || range.contains(position)) {
        return;
    }
    const double half = range.size() / 2.0;
    m_plot->xAxis->setRange(position - half, position + half);
    m_plot->replot(QCustomPlot::rpQueuedReplot);
}

void ChannelMap::showReadout(const QPointF& pixel)
{
    if (m_channels.empty() || !m_plot->axisRect()->rect().contains(pixel.toPoint())) {
        m_readout->setFullText({});
        return;
    }
    const int channel = channelAt(positionAtPixel(pixel.x()));
    const GroupStatistics& group = m_statistics->groups[static_cast<std::size_t>(channel)];
    QString text = tr("%1 %2   min %3   max %4")
                       .arg(displayName(m_statistics->axis))
                       .arg(channel)
                       .arg(formatNumber(static_cast<double>(group.minimum)))
                       .arg(formatNumber(static_cast<double>(group.maximum)));
    if (m_zeroed.size() == m_channels.size()) {
        text += tr("   %1 of its sum becomes zero")
                    .arg(formatShare(m_zeroed[static_cast<std::size_t>(channel)]));
    }
    if (m_errors.size() == m_channels.size()) {
        text += tr("   squared error %1").arg(formatNumber(m_errors[static_cast<std::size_t>(channel)], 3));
    }
    m_readout->setFullText(text);
}

} // namespace qs
