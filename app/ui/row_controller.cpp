#include "app/ui/row_controller.h"

#include "app/session/session.h"
#include "app/ui/edit_controller.h"
#include "app/ui/selection.h"
#include "app/ui/site_rows.h"
#include "app/ui/views.h"
#include "widgets/views/bits_matrix_view.h"
#include "widgets/views/site_tree_view.h"

#include <QMainWindow>

namespace qs {

RowController::RowController(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
{
    connect(m_bench.session, &Session::documentChanged, this, &RowController::showRows);
    connect(m_bench.session, &Session::calibrationChanged, this, &RowController::showRows);
    connect(m_bench.session, &Session::choicesChanged, this, &RowController::showChanged);
    connect(m_bench.session, &Session::siteErrorsChanged, this, &RowController::showRows);
    connect(m_bench.session, &Session::sensitivityChanged, this, &RowController::showRows);
    connect(m_bench.session, &Session::siteTimesChanged, this, &RowController::showRows);
    connect(m_bench.selection, &Selection::changed, this, &RowController::showSelection);
    connect(m_bench.views->tree, &SiteTreeView::selectionChangedTo, m_bench.selection, &Selection::select);
    connect(m_bench.views->bits, &BitsMatrixView::siteChosen, m_bench.selection,
        [this](const QString& site) { m_bench.selection->select({site}); });
    wireEdits();
}

void RowController::wireEdits()
{
    const SiteTreeView* tree = m_bench.views->tree;
    EditController* edit = m_bench.edit;
    connect(tree, &SiteTreeView::editRequested, edit, &EditController::patch);
    connect(tree, &SiteTreeView::applyToRoleRequested, edit,
        [edit](const QString& site) { edit->applyToRole(site.toStdString()); });
    connect(tree, &SiteTreeView::copyRequested, edit,
        [edit](const QString& site) { edit->copy(site.toStdString()); });
    connect(tree, &SiteTreeView::pasteRequested, edit, &EditController::paste);
    connect(m_bench.views->bits, &BitsMatrixView::editRequested, edit, &EditController::patch);
}

void RowController::showRows()
{
    const std::vector<SiteRow> rows = siteRows(*m_bench.session);
    m_bench.views->bits->setEnabled(!m_bench.session->isReadOnly());
    m_bench.views->bits->setRows(rows);
    m_bench.views->tree->setRows(rows);
}

void RowController::showChanged(const QStringList& sites)
{
    std::vector<SiteRow> rows;
    const std::vector<Site>& all = m_bench.session->model()->sites;
    for (const QString& name : sites) {
        if (const int index = indexOfSite(all, name.toStdString()); index >= 0) {
            rows.push_back(siteRow(*m_bench.session, all[static_cast<std::size_t>(index)]));
        }
    }
    m_bench.views->bits->updateRows(rows);
    m_bench.views->tree->updateRows(rows);
}

void RowController::showSelection()
{
    const QStringList& sites = m_bench.selection->sites();
    if (m_bench.views->tree->selectedSites() != sites) {
        m_bench.views->tree->setSelectedSites(sites);
    }
    if (sites.size() == 1) {
        m_bench.views->bits->setCurrentSite(sites.front());
    }
}

} // namespace qs
