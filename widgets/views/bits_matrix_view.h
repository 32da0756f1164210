#pragma once

#include "widgets/common/site_choice_patch.h"
#include "widgets/models/site_row.h"

#include <QTableView>

#include <vector>

namespace qs {

class BitsMatrixModel;

/// The bits of all layers as a spreadsheet: type a number into a cell or a selection, Delete leaves the
/// selection in floating point, copy and paste cells as tab-separated text, also from and to a spreadsheet.
class BitsMatrixView : public QTableView
{
    Q_OBJECT
public:
    explicit BitsMatrixView(QWidget* parent = nullptr);

    void setRows(const std::vector<SiteRow>& rows);
    /// New values of some of the rows.
    void updateRows(const std::vector<SiteRow>& rows);
    /// Selects the cell silently; unknown names are ignored.
    void setCurrentSite(const QString& site);
    [[nodiscard]] BitsMatrixModel* matrix() const { return m_matrix; }
    void copySelection() const;
    /// One value fills the selection; a block is laid from the current cell on. Text that is no bit width is
    /// passed over.
    void paste();

signals:
    void editRequested(const QStringList& sites, const qs::SiteChoicePatch& patch);
    void siteChosen(const QString& site); ///< the current cell, by the user

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void changeEvent(QEvent* event) override;
    void currentChanged(const QModelIndex& current, const QModelIndex& previous) override;

private:
    void enter(const QModelIndex& cell, int bits);
    [[nodiscard]] QModelIndexList selectedCells() const;

    BitsMatrixModel* m_matrix;
    bool m_silent = false;
};

} // namespace qs
