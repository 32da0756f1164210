#include "widgets/views/error_split_bar.h"

#include "widgets/common/number_format.h"
#include "widgets/plot/plot_style.h"

#include <QPainter>

#include <algorithm>

namespace qs {

ErrorSplitBar::ErrorSplitBar(QWidget* parent)
    : QWidget(parent)
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Clipping and rounding share of the squared error"));
}

void ErrorSplitBar::setParts(double clipping, double rounding)
{
    m_clipping = std::max(clipping, 0.0);
    m_rounding = std::max(rounding, 0.0);
    const QString text = tr("clipping %1, rounding %2")
                             .arg(formatShare(clippingShare()))
                             .arg(formatShare(1.0 - clippingShare()));
    setAccessibleDescription(text);
    setToolTip(m_clipping + m_rounding > 0.0 ? text : QString());
    update();
}

double ErrorSplitBar::clippingShare() const
{
    const double total = m_clipping + m_rounding;
    return total > 0.0 ? m_clipping / total : 0.0;
}

QSize ErrorSplitBar::sizeHint() const
{
    const int line = QFontMetrics(PlotStyle(palette()).labelFont()).height();
    return {180, 12 + line + 4};
}

QSize ErrorSplitBar::minimumSizeHint() const
{
    return {100, sizeHint().height()};
}

void ErrorSplitBar::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    const PlotStyle style(palette());
    const QRectF bar(0.5, 0.5, width() - 1.0, 12.0);
    const bool empty = m_clipping + m_rounding <= 0.0;
    if (!empty) {
        const double split = std::clamp(bar.width() * clippingShare(), 0.0, bar.width());
        style.fill(painter, QRectF(bar.left(), bar.top(), split, bar.height()), PlotRole::ClippingError);
        style.fill(painter, QRectF(bar.left() + split, bar.top(), bar.width() - split, bar.height()),
            PlotRole::RoundingError);
    }
    painter.setPen(style.faintLine());
    painter.drawRect(bar);
    painter.setFont(style.labelFont());
    const QRectF line(0.0, bar.bottom() + 2.0, width(), height() - bar.bottom() - 2.0);
    painter.setPen(empty ? style.mutedText() : style.colour(PlotRole::ClippingError));
    painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
        empty ? tr("clipping") : tr("clipping %1").arg(formatShare(clippingShare())));
    painter.setPen(empty ? style.mutedText() : style.colour(PlotRole::RoundingError));
    painter.drawText(line, Qt::AlignRight | Qt::AlignVCenter,
        empty ? tr("rounding") : tr("rounding %1").arg(formatShare(1.0 - clippingShare())));
}

} // namespace qs
