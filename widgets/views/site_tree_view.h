#pragma once

#include "widgets/common/site_choice_patch.h"
#include "widgets/models/site_row.h"

#include <QStringList>
#include <QWidget>

#include <vector>

class QAction;
class QLabel;
class QLineEdit;
class QStackedWidget;
class QToolButton;
class QTreeView;

namespace qs {

class SiteFilterModel;
class SiteTreeModel;

/// The model tree: filter, columns with bars, multi-selection, "apply to all of this role".
class SiteTreeView : public QWidget
{
    Q_OBJECT
public:
    explicit SiteTreeView(QWidget* parent = nullptr);

    /// Sites in network order; the selection and what is expanded survive when the sites are the same.
    void setRows(std::vector<SiteRow> rows);
    /// New values of some of the rows.
    void updateRows(const std::vector<SiteRow>& rows);
    /// Selects silently and scrolls to the first; unknown names are ignored.
    void setSelectedSites(const QStringList& sites);
    /// In network order; a selected block counts as all its sites.
    [[nodiscard]] QStringList selectedSites() const;
    [[nodiscard]] SiteTreeModel* model() const { return m_model; }
    [[nodiscard]] QTreeView* treeView() const { return m_tree; }
    /// Widths and order of columns, for the application's settings.
    [[nodiscard]] QByteArray saveState() const;
    void restoreState(const QByteArray& state);

signals:
    void selectionChangedTo(const QStringList& sites); ///< by the user only
    void applyToRoleRequested(
        const QString& site); ///< give this site's choice to all sites of its role and kind
    void copyRequested(const QString& site);
    void pasteRequested(const QStringList& sites);
    /// An edit in the tree; concerns the whole selection when the edited site belongs to it.
    void editRequested(const QStringList& sites, const qs::SiteChoicePatch& patch);

protected:
    void changeEvent(QEvent* event) override;

private:
    void buildTree();
    void applyFilter(const QString& text);
    void showCount(); ///< of the sites that pass the filter
    void updateWorst();
    void showContextMenu(const QPoint& position);
    void requestApplyToRole();
    void forwardEdit(const QStringList& sites, const SiteChoicePatch& patch);
    [[nodiscard]] QString currentSite() const;

    SiteTreeModel* m_model;
    SiteFilterModel* m_proxy;
    QLineEdit* m_filter;
    QAction* m_filterIcon;
    QLabel* m_count;
    QToolButton* m_worst; ///< checked: only the sites that hurt most
    QTreeView* m_tree;
    QLabel* m_empty;
    QStackedWidget* m_stack;
    bool m_silent = false;
};

} // namespace qs
