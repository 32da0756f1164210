#include "widgets/plot/sensitivity_bars_item.h"

#include "widgets/plot/plot_style.h"

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr double kPitchForNames = 13.0; ///< pixels from bar to bar
constexpr double kWidestColumn = 26.0;
constexpr double kColumnForWhisker = 5.0; ///< pixels; narrower ones have no room for it
constexpr double kStaleOpacity = 0.4;

} // namespace

SensitivityBarsItem::SensitivityBarsItem(QCPAxisRect* rect, const QString& layer)
    : QCPLayerable(rect->parentPlot(), layer)
    , m_rect(rect)
{
}

void SensitivityBarsItem::applyDefaultAntialiasingHint(QCPPainter* painter) const
{
    painter->setAntialiasing(false);
}

QRect SensitivityBarsItem::clipRect() const
{
    // Labels stand below the axis.
    if (!m_labelled) {
        return m_rect->rect();
    }
    const QRect area = m_rect->rect();
    return {area.left(), area.top(), area.width(), mParentPlot->viewport().bottom() - area.top() + 1};
}

double SensitivityBarsItem::pitch() const
{
    const QCPAxis& keys = *m_rect->axis(QCPAxis::atBottom);
    return keys.coordToPixel(1.0) - keys.coordToPixel(0.0);
}

void SensitivityBarsItem::draw(QCPPainter* painter)
{
    const QCPAxis& keys = *m_rect->axis(QCPAxis::atBottom);
    const double lower = std::max(0.0, std::floor(keys.range().lower));
    const auto first = static_cast<std::size_t>(lower);
    const auto end = std::min(
        m_bars.size(), static_cast<std::size_t>(std::max(0.0, std::ceil(keys.range().upper) + 1.0)));
    for (std::size_t position = first; position < end; ++position) {
        painter->setOpacity(m_bars[position].isStale ? kStaleOpacity : 1.0);
        drawBar(painter, position);
    }
    painter->setOpacity(1.0);
    if (!m_labelled) {
        return;
    }
    if (pitch() >= kPitchForNames || !m_grouped) {
        drawNames(painter, first, end);
    } else {
        drawBlocks(painter, first, end);
    }
}

void SensitivityBarsItem::drawBar(QCPPainter* painter, std::size_t position) const
{
    const PlotStyle style(m_palette);
    const QCPAxis& keys = *m_rect->axis(QCPAxis::atBottom);
    const QCPAxis& values = *m_rect->axis(QCPAxis::atLeft);
    const SensitivityBar& bar = m_bars[position];
    const double centre = keys.coordToPixel(static_cast<double>(position));
    const auto count = static_cast<double>(std::max<std::size_t>(bar.columns.size(), 1));
    const double width = std::clamp(std::floor(pitch() * 0.72), 1.0, kWidestColumn * count);
    const QRectF area(m_rect->rect());
    const double left = std::floor(centre - width / 2.0);
    if (static_cast<int>(position) == m_highlighted) {
        const QRectF band(left - 3.0, area.top(), width + 6.0, area.height());
        painter->fillRect(band, style.brush(PlotRole::Selection));
        painter->fillRect(
            QRectF(left - 3.0, area.top(), width + 6.0, 3.0), style.colour(PlotRole::Selection));
    }
    const double foot = std::floor(values.coordToPixel(0.0));
    const double step = width / count;
    for (std::size_t i = 0; i < bar.columns.size(); ++i) {
        const double gap = count > 1.0 && step >= 4.0 ? 1.0 : 0.0;
        const double x = left + std::floor(static_cast<double>(i) * step);
        const double next = left + std::floor(static_cast<double>(i + 1) * step);
        const double top = std::clamp(values.coordToPixel(bar.columns[i].value), area.top(), foot);
        const double height = std::max(foot - top, bar.columns[i].value > 0.0 ? 1.0 : 0.0);
        drawColumn(
            painter, bar, bar.columns[i], QRectF(x, foot - height, std::max(next - x - gap, 1.0), height));
    }
}

void SensitivityBarsItem::drawColumn(QCPPainter* painter, const SensitivityBar& bar,
    const SensitivityColumn& column, const QRectF& place) const
{
    const PlotStyle style(m_palette);
    if (m_fill == Fill::Kind) {
        style.fill(*painter, place, bar.isWeight ? PlotRole::Weight : PlotRole::Activation);
    } else {
        const double clipped = place.height() * std::clamp(column.clippingShare, 0.0, 1.0);
        style.fill(*painter, place.adjusted(0.0, 0.0, 0.0, -clipped), PlotRole::RoundingError);
        style.fill(*painter, QRectF(place.left(), place.bottom() - clipped, place.width(), clipped),
            PlotRole::ClippingError);
    }
    if (!column.interval || place.width() < kColumnForWhisker || !std::isfinite(column.interval->lower)
        || !std::isfinite(column.interval->upper)) {
        return;
    }
    const QCPAxis& values = *m_rect->axis(QCPAxis::atLeft);
    const QRectF area(m_rect->rect());
    const double from = std::min(values.coordToPixel(std::max(column.interval->lower, 0.0)), area.bottom());
    const double to = std::max(values.coordToPixel(column.interval->upper), area.top());
    const double x = std::floor(place.center().x());
    painter->setPen(QPen(style.text()));
    painter->drawLine(QPointF(x, from), QPointF(x, to));
    painter->drawLine(QPointF(x - 2.0, from), QPointF(x + 2.0, from));
    painter->drawLine(QPointF(x - 2.0, to), QPointF(x + 2.0, to));
}

void SensitivityBarsItem::drawNames(QCPPainter* painter, std::size_t first, std::size_t end) const
{
    const PlotStyle style(m_palette);
    const QCPAxis& keys = *m_rect->axis(QCPAxis::atBottom);
    const QRectF area(m_rect->rect());
    const QFontMetricsF metrics(style.labelFont());
    const double room = mParentPlot->viewport().bottom() - area.bottom() - 8.0;
    const double stride = std::max(1.0, std::ceil(metrics.height() * 0.95 / std::max(pitch(), 1e-6)));
    painter->setFont(style.labelFont());
    painter->setAntialiasing(true);
    for (std::size_t position = first; position < end; ++position) {
        const bool marked = static_cast<int>(position) == m_highlighted;
        if (position % static_cast<std::size_t>(stride) != 0 && !marked) {
            continue;
        }
        const SensitivityBar& bar = m_bars[position];
        const QString full = bar.block.isEmpty() ? bar.label : bar.block.section(u'.', -1) + u'.' + bar.label;
        const QString text = metrics.elidedText(full, Qt::ElideLeft, room);
        painter->setPen(marked ? style.text() : style.mutedText());
        painter->save();
        painter->translate(keys.coordToPixel(static_cast<double>(position)) + metrics.ascent() / 2.0 - 1.0,
            area.bottom() + 6.0 + metrics.horizontalAdvance(text));
        painter->rotate(-90.0);
        painter->drawText(QPointF(0.0, 0.0), text);
        painter->restore();
    }
    painter->setAntialiasing(false);
}

void SensitivityBarsItem::drawBlocks(QCPPainter* painter, std::size_t first, std::size_t end) const
{
    const PlotStyle style(m_palette);
    const QCPAxis& keys = *m_rect->axis(QCPAxis::atBottom);
    const QRectF area(m_rect->rect());
    const QFontMetricsF metrics(style.labelFont());
    painter->setFont(style.labelFont());
    double freeFrom = area.left();
    for (std::size_t begin = first; begin < end;) {
        std::size_t next = begin + 1;
        while (next < end && m_bars[next].block == m_bars[begin].block) {
            ++next;
        }
        const double left = keys.coordToPixel(static_cast<double>(begin) - 0.5);
        const double right = keys.coordToPixel(static_cast<double>(next) - 0.5);
        painter->setPen(QPen(style.faintLine()));
        painter->drawLine(QPointF(left, area.top()), QPointF(left, area.bottom() + 5.0));
        const QString text
            = m_bars[begin].block.isEmpty() ? m_bars[begin].label.section(u'.', 0, 0) : m_bars[begin].block;
        const double width = metrics.horizontalAdvance(text);
        const double x = std::min((left + right - width) / 2.0, area.right() - width);
        if (x >= freeFrom) {
            painter->setPen(style.mutedText());
            painter->drawText(QPointF(x, area.bottom() + 6.0 + metrics.ascent()), text);
            freeFrom = x + width + 8.0;
        }
        begin = next;
    }
}

} // namespace qs
