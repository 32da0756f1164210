#include "widgets/plot/ghost_item.h"

#include "widgets/plot/histogram_items.h"
#include "widgets/plot/plot_style.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace qs {

namespace {

constexpr double kFirstRow = 32.0; ///< below the labels of the bounds
constexpr double kRowHeight = 20.0;
constexpr double kTick = 4.0;
constexpr double kSmallestLevelDistance = 3.0; ///< pixels; closer ticks would run into each other

} // namespace

GhostItem::GhostItem(QCPAxisRect* rect, const QString& layer)
    : QCPLayerable(rect->parentPlot(), layer)
    , m_rect(rect)
{
}

void GhostItem::setGhosts(std::vector<GhostRail> ghosts)
{
    ghosts.resize(std::min(ghosts.size(), kGhostLimit));
    m_ghosts = std::move(ghosts);
}

void GhostItem::applyDefaultAntialiasingHint(QCPPainter* painter) const
{
    painter->setAntialiasing(false);
}

QRect GhostItem::clipRect() const
{
    return m_rect->rect();
}

void GhostItem::draw(QCPPainter* painter)
{
    int row = 0;
    for (const GhostRail& ghost : m_ghosts) {
        drawRail(painter, ghost, row++);
    }
}

void GhostItem::drawRail(QCPPainter* painter, const GhostRail& ghost, int row) const
{
    const PlotStyle style(m_palette);
    const QCPAxis& axis = *m_rect->axis(QCPAxis::atBottom);
    const QRectF area(m_rect->rect());
    const double y = std::floor(area.top() + kFirstRow + row * kRowHeight) + 0.5;
    const bool logarithmic = axis.scaleType() == QCPAxis::stLogarithmic;
    const double left = logarithmic && ghost.bounds.lower <= 0.0 ? area.left() - 1.0
                                                                 : axis.coordToPixel(ghost.bounds.lower);
    const double right = axis.coordToPixel(ghost.bounds.upper);
    const QPen pen = style.ghostPen(row);
    painter->setPen(pen);
    painter->drawLine(QPointF(std::max(left, area.left()), y), QPointF(std::min(right, area.right()), y));
    painter->setPen(QPen(pen.color(), 2.0));
    for (const double end : {left, right}) {
        if (end >= area.left() && end <= area.right()) {
            painter->drawLine(QPointF(end, y - kTick - 1.0), QPointF(end, y + kTick + 1.0));
        }
    }
    painter->setPen(QPen(pen.color(), 1.0));
    double last = -std::numeric_limits<double>::infinity();
    for (const double level : ghost.levels) {
        const double x = std::floor(axis.coordToPixel(level)) + 0.5;
        if (std::isfinite(x) && x >= area.left() && x <= area.right() && x - last >= kSmallestLevelDistance) {
            last = x;
            painter->drawLine(QPointF(x, y - kTick), QPointF(x, y + kTick));
        }
    }
    const QFontMetricsF metrics(style.labelFont());
    const double textLeft = area.right() - metrics.horizontalAdvance(ghost.text) - 14.0;
    painter->setAntialiasing(true);
    drawTextBox(painter, m_palette, area, QPointF(textLeft, y - metrics.height() / 2.0 - 2.0), ghost.text,
        pen.color());
    painter->setAntialiasing(false);
}

} // namespace qs
