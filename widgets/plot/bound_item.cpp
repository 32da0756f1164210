#include "widgets/plot/bound_item.h"

#include "widgets/common/number_format.h"
#include "widgets/plot/plot_style.h"

#include <cmath>

namespace qs {

BoundItem::BoundItem(QCustomPlot* plot, const QString& layer, LabelSide side)
    : QCPLayerable(plot, layer)
    , m_side(side)
{
}

void BoundItem::applyDefaultAntialiasingHint(QCPPainter* painter) const
{
    painter->setAntialiasing(true);
}

QRectF BoundItem::area() const
{
    QRectF all;
    for (const QCPAxisRect* rect : mParentPlot->axisRects()) {
        all |= QRectF(rect->rect());
    }
    return all;
}

void BoundItem::draw(QCPPainter* painter)
{
    const QRectF all = area();
    const double x = mParentPlot->xAxis->coordToPixel(m_value);
    if (!std::isfinite(x) || x < all.left() - 0.5 || x > all.right() + 1.5) {
        return;
    }
    const PlotStyle style(m_palette);
    QPen pen = style.pen(PlotRole::Bound);
    if (m_emphasis != Emphasis::Normal) {
        pen.setWidthF(pen.widthF() + 0.8);
    }
    painter->setPen(pen);
    painter->drawLine(QPointF(x, all.top()), QPointF(x, all.bottom()));
    drawLabel(painter, all, x);
}

void BoundItem::drawLabel(QCPPainter* painter, const QRectF& area, double x) const
{
    const PlotStyle style(m_palette);
    const QFont font = style.emphasisFont();
    const QFontMetricsF metrics(font);
    const QString text = formatNumber(m_value, 4);
    const QSizeF size(metrics.horizontalAdvance(text) + 10.0, metrics.height() + 3.0);
    double left = m_side == LabelSide::Left ? x - size.width() : x;
    left = std::clamp(left, area.left(), std::max(area.left(), area.right() - size.width()));
    const QRectF box(QPointF(left, area.top() + 1.0), size);
    const QColor fill = m_emphasis == Emphasis::Active
        ? m_palette.color(QPalette::Active, QPalette::Highlight)
        : style.colour(PlotRole::Bound);
    const QColor textColour = m_emphasis == Emphasis::Active
        ? m_palette.color(QPalette::Active, QPalette::HighlightedText)
        : style.base();
    painter->setPen(Qt::NoPen);
    painter->setBrush(fill);
    painter->drawRoundedRect(box, 3.0, 3.0);
    painter->setPen(textColour);
    painter->setFont(font);
    painter->drawText(box, Qt::AlignCenter, text);
}

} // namespace qs
