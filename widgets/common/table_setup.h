#pragma once

class QTableWidget;

namespace qs {

/// A table to read: no editing, no row numbers, and Tab goes on to the next widget instead of the next cell.
void makeReadOnly(QTableWidget& table);
/// A read-only table of figures: dense rows without a grid, columns as wide as their content, `nameColumn`
/// takes what is left.
void makeFigureTable(QTableWidget& table, int nameColumn);

} // namespace qs
