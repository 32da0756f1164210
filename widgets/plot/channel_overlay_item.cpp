#include "widgets/plot/channel_overlay_item.h"

#include "widgets/plot/plot_style.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

constexpr double kQuietPitch = 4.0; ///< pixels from channel to channel

} // namespace

ChannelOverlayItem::ChannelOverlayItem(QCPAxisRect* rect, const QString& layer)
    : QCPLayerable(rect->parentPlot(), layer)
    , m_rect(rect)
{
}

void ChannelOverlayItem::setBrush(int first, int last)
{
    m_brushFirst = first;
    m_brushLast = last;
}

void ChannelOverlayItem::applyDefaultAntialiasingHint(QCPPainter* painter) const
{
    painter->setAntialiasing(false);
}

QRect ChannelOverlayItem::clipRect() const
{
    return m_rect->rect();
}

void ChannelOverlayItem::draw(QCPPainter* painter)
{
    const PlotStyle style(m_palette);
    painter->setBrush(Qt::NoBrush);
    const QCPAxis& keys = *m_rect->axis(QCPAxis::atBottom);
    QPen envelope = style.pen(PlotRole::Envelope);
    if (keys.coordToPixel(1.0) - keys.coordToPixel(0.0) < kQuietPitch) {
        QColor quiet = envelope.color(); // many channels: the lines must not outweigh the map
        quiet.setAlphaF(0.4F);
        envelope.setColor(quiet);
    }
    painter->setPen(envelope);
    drawSteps(painter, m_envelope, &Bounds::lower);
    drawSteps(painter, m_envelope, &Bounds::upper);
    painter->setPen(style.pen(PlotRole::ClippingError));
    drawSteps(painter, m_bounds, &Bounds::lower);
    drawSteps(painter, m_bounds, &Bounds::upper);
    drawTexts(painter);
    if (m_brushFirst < m_brushLast) {
        drawSpan(painter, m_brushFirst, m_brushLast);
    }
    if (m_selected >= 0) {
        drawSpan(painter, m_selected, m_selected);
    }
}

void ChannelOverlayItem::drawSteps(
    QCPPainter* painter, const std::vector<Bounds>& entries, double Bounds::*side) const
{
    const QCPAxis& keys = *m_rect->axis(QCPAxis::atBottom);
    const QCPAxis& values = *m_rect->axis(QCPAxis::atLeft);
    const QRectF area(m_rect->rect());
    const auto pixel = [&](double value) {
        const double y = values.coordToPixel(value);
        return std::isfinite(y) ? std::clamp(y, area.top() - 2.0, area.bottom() + 2.0) : area.bottom() + 2.0;
    };
    if (entries.size() == 1) {
        const double y = pixel(entries.front().*side);
        painter->drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
        return;
    }
    // At most two points per pixel: the extremes of the positions that share it.
    QPolygonF line;
    const auto first = static_cast<std::size_t>(std::max(0.0, std::floor(keys.range().lower + 0.5)));
    const auto end = std::min(
        entries.size(), static_cast<std::size_t>(std::max(0.0, std::ceil(keys.range().upper + 0.5))));
    for (std::size_t position = first; position < end; ++position) {
        const double at = static_cast<double>(position);
        const double y = pixel(entries[position].*side);
        line << QPointF(keys.coordToPixel(at - 0.5), y) << QPointF(keys.coordToPixel(at + 0.5), y);
    }
    painter->drawPolyline(line);
}

void ChannelOverlayItem::drawTexts(QCPPainter* painter) const
{
    const PlotStyle style(m_palette);
    const QCPAxis& keys = *m_rect->axis(QCPAxis::atBottom);
    const QRectF area(m_rect->rect());
    const QFontMetricsF metrics(style.labelFont());
    const double pitch = keys.coordToPixel(1.0) - keys.coordToPixel(0.0);
    painter->setFont(style.labelFont());
    for (std::size_t position = 0; position < m_texts.size(); ++position) {
        const double width = metrics.horizontalAdvance(m_texts[position]);
        const double centre = keys.coordToPixel(static_cast<double>(position));
        if (width + 4.0 > pitch || centre < area.left() || centre > area.right()) {
            continue;
        }
        const QRectF place(centre - width / 2.0 - 2.0, area.top() + 9.0, width + 4.0, metrics.height());
        painter->fillRect(place, style.textBacking());
        painter->setPen(style.text());
        painter->drawText(place, Qt::AlignCenter, m_texts[position]);
    }
}

void ChannelOverlayItem::drawSpan(QCPPainter* painter, int first, int last) const
{
    const PlotStyle style(m_palette);
    const QCPAxis& keys = *m_rect->axis(QCPAxis::atBottom);
    const QRectF area(m_rect->rect());
    double left = keys.coordToPixel(first - 0.5);
    double right = keys.coordToPixel(last + 0.5);
    if (right - left < 3.0) { // thin channels still show
        const double centre = (left + right) / 2.0;
        left = centre - 1.5;
        right = centre + 1.5;
    }
    const QRectF span(left, area.top(), right - left, area.height() - 1.0);
    painter->setBrush(style.brush(PlotRole::Selection));
    painter->setPen(style.pen(PlotRole::Selection));
    painter->drawRect(span);
    painter->setBrush(style.colour(PlotRole::Selection)); // a marker that does not rely on the tint
    const double centre = (left + right) / 2.0;
    painter->setAntialiasing(true);
    painter->drawPolygon(QPolygonF {QPointF(centre - 5.0, area.top()), QPointF(centre + 5.0, area.top()),
        QPointF(centre, area.top() + 7.0)});
    painter->setAntialiasing(false);
}

} // namespace qs
