#pragma once

#include "widgets/plot/plot_style.h"

#include <QStyledItemDelegate>

namespace qs {

/// Draws a cell's text on top of a bar whose length is the item's BarFractionRole.
class BarDelegate : public QStyledItemDelegate
{
    Q_OBJECT
public:
    BarDelegate(PlotRole role, int fractionRole, QObject* parent = nullptr);

    void paint(
        QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;

private:
    PlotRole m_role;
    int m_fractionRole;
};

} // namespace qs
