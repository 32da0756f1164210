#include "widgets/common/table_setup.h"

#include <QFontMetrics>
#include <QHeaderView>
#include <QTableWidget>

namespace qs {

void makeReadOnly(QTableWidget& table)
{
    table.setEditTriggers(QAbstractItemView::NoEditTriggers);
    table.setTabKeyNavigation(false);
    table.verticalHeader()->hide();
}

void makeFigureTable(QTableWidget& table, int nameColumn)
{
    makeReadOnly(table);
    table.setShowGrid(false);
    table.verticalHeader()->setDefaultSectionSize(table.fontMetrics().height() + 7);
    table.horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    table.horizontalHeader()->setSectionResizeMode(nameColumn, QHeaderView::Stretch);
}

} // namespace qs
