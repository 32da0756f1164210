#include "widgets/views/bits_matrix_view.h"

#include "widgets/models/bits_matrix_model.h"
#include "widgets/views/bits_delegate.h"

#include <QApplication>
#include <QClipboard>
#include <QHeaderView>
#include <QKeyEvent>
#include <QScopedValueRollback>

#include <algorithm>
#include <map>

namespace qs {

BitsMatrixView::BitsMatrixView(QWidget* parent)
    : QTableView(parent)
    , m_matrix(new BitsMatrixModel(this))
{
    setModel(m_matrix);
    setItemDelegate(new BitsDelegate(this));
    setAccessibleName(tr("Bits of every layer"));
    setSelectionMode(QAbstractItemView::ExtendedSelection);
    setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed
        | QAbstractItemView::AnyKeyPressed);
    setTabKeyNavigation(false);
    horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 6);
    m_matrix->setPalette(palette());
    connect(m_matrix, &BitsMatrixModel::bitsEntered, this, &BitsMatrixView::enter);
}

void BitsMatrixView::setRows(const std::vector<SiteRow>& rows)
{
    const QScopedValueRollback silent(m_silent, true);
    m_matrix->setRows(rows);
}

void BitsMatrixView::updateRows(const std::vector<SiteRow>& rows)
{
    m_matrix->updateRows(rows);
}

void BitsMatrixView::setCurrentSite(const QString& site)
{
    const QModelIndex cell = m_matrix->indexOf(site);
    if (cell.isValid() && cell != currentIndex()) {
        const QScopedValueRollback silent(m_silent, true);
        setCurrentIndex(cell);
    }
}

QModelIndexList BitsMatrixView::selectedCells() const
{
    QModelIndexList cells = selectionModel()->selectedIndexes();
    std::sort(cells.begin(), cells.end());
    return cells;
}

void BitsMatrixView::enter(const QModelIndex& cell, int bits)
{
    const QModelIndexList selected = selectedCells();
    const QStringList sites = m_matrix->sitesAt(selected.contains(cell) ? selected : QModelIndexList {cell});
    emit editRequested(sites, SiteChoicePatch {.enabled = true, .bits = bits});
}

void BitsMatrixView::copySelection() const
{
    const QModelIndexList cells = selectedCells();
    if (cells.isEmpty()) {
        return;
    }
    int left = cells.front().column();
    int right = left;
    for (const QModelIndex& cell : cells) {
        left = std::min(left, cell.column());
        right = std::max(right, cell.column());
    }
    QStringList lines;
    for (int row = cells.front().row(); row <= cells.back().row(); ++row) {
        QStringList line;
        for (int column = left; column <= right; ++column) {
            const QModelIndex cell = m_matrix->index(row, column);
            line << (selectionModel()->isSelected(cell) ? m_matrix->textAt(cell) : QString());
        }
        lines << line.join(QLatin1Char('\t'));
    }
    QApplication::clipboard()->setText(lines.join(QLatin1Char('\n')));
}

void BitsMatrixView::paste()
{
    const QString text = QApplication::clipboard()->text();
    if (const auto single = BitsMatrixModel::patchFor(text)) {
        emit editRequested(m_matrix->sitesAt(selectedCells()), *single);
        return;
    }
    // Cells of one value go together, so that a block costs as few requests as it has values.
    std::map<QString, std::pair<SiteChoicePatch, QModelIndexList>> byValue;
    int row = currentIndex().row();
    for (const QString& line : text.split(QLatin1Char('\n'))) {
        int column = currentIndex().column();
        for (const QString& word : line.split(QLatin1Char('\t'))) {
            const auto patch = BitsMatrixModel::patchFor(word);
            const QModelIndex cell = m_matrix->index(row, column++);
            if (patch && cell.isValid()) {
                auto& entry = byValue[word.trimmed().toUpper()];
                entry.first = *patch;
                entry.second << cell;
            }
        }
        ++row;
    }
    for (const auto& [word, entry] : byValue) {
        const QStringList sites = m_matrix->sitesAt(entry.second);
        if (!sites.isEmpty()) {
            emit editRequested(sites, entry.first);
        }
    }
}

void BitsMatrixView::keyPressEvent(QKeyEvent* event)
{
    if (event->matches(QKeySequence::Copy)) {
        copySelection();
    } else if (event->matches(QKeySequence::Paste)) {
        paste();
    } else if (event->key() == Qt::Key_Delete || event->key() == Qt::Key_Backspace) {
        emit editRequested(m_matrix->sitesAt(selectedCells()), SiteChoicePatch {.enabled = false});
    } else {
        QTableView::keyPressEvent(event);
    }
}

void BitsMatrixView::changeEvent(QEvent* event)
{
    QTableView::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) {
        m_matrix->setPalette(palette());
    }
}

void BitsMatrixView::currentChanged(const QModelIndex& current, const QModelIndex& previous)
{
    QTableView::currentChanged(current, previous);
    const QString site = current.data(BitsMatrixModel::SiteNameRole).toString();
    if (!m_silent && !site.isEmpty()) {
        emit siteChosen(site);
    }
}

} // namespace qs
