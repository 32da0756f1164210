#include "widgets/views/bar_delegate.h"

#include <QPainter>

#include <algorithm>

namespace qs {

BarDelegate::BarDelegate(PlotRole role, int fractionRole, QObject* parent)
    : QStyledItemDelegate(parent)
    , m_role(role)
    , m_fractionRole(fractionRole)
{
}

void BarDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    const QVariant fraction = index.data(m_fractionRole);
    QStyledItemDelegate::paint(painter, option, index);
    if (!fraction.isValid()) {
        return;
    }
    const PlotStyle style(option.palette);
    const double length = std::clamp(fraction.toDouble(), 0.0, 1.0) * (option.rect.width() - 8);
    const QRectF track(option.rect.left() + 4, option.rect.bottom() - 3, option.rect.width() - 8, 2.0);
    painter->fillRect(track, style.faintLine());
    painter->fillRect(QRectF(track.topLeft(), QSizeF(std::max(length, 1.0), 2.0)), style.colour(m_role));
}

} // namespace qs
