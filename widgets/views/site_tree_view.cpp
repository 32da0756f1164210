#include "widgets/views/site_tree_view.h"

#include "widgets/common/display_names.h"
#include "widgets/common/empty_label.h"
#include "widgets/common/icons.h"
#include "widgets/models/site_filter_model.h"
#include "widgets/models/site_tree_model.h"
#include "widgets/views/bar_delegate.h"
#include "widgets/views/bits_delegate.h"

#include <QAction>
#include <QEvent>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QScopedValueRollback>
#include <QStackedWidget>
#include <QToolButton>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>
#include <utility>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr int kWorstCount = 10;

} // namespace

SiteTreeView::SiteTreeView(QWidget* parent)
    : QWidget(parent)
    , m_model(new SiteTreeModel(this))
    , m_proxy(new SiteFilterModel(this))
    , m_filter(new QLineEdit(this))
    , m_filterIcon(nullptr)
    , m_count(new QLabel(this))
    , m_worst(new QToolButton(this))
    , m_tree(new QTreeView(this))
    , m_empty(new EmptyLabel(tr("Open a model to see its sites."), this))
    , m_stack(new QStackedWidget(this))
{
    m_proxy->setSourceModel(m_model);
    m_proxy->setSortRole(SiteTreeModel::SortRole);

    m_filter->setPlaceholderText(tr("Filter by name or role"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setAccessibleName(tr("Filter of sites"));
    m_filter->setToolTip(
        tr("Words that the name or the role must contain, e.g. \"fc2 weight\" or \"softmax\""));
    m_filterIcon = m_filter->addAction(themedIcon(u"filter"_s, palette()), QLineEdit::LeadingPosition);
    m_count->setForegroundRole(QPalette::PlaceholderText);
    m_worst->setText(tr("Worst %1").arg(kWorstCount));
    m_worst->setObjectName(u"worst"_s);
    m_worst->setCheckable(true);
    m_worst->setAutoRaise(true);
    m_worst->setFocusPolicy(Qt::TabFocus);
    m_worst->setToolTip(
        tr("Only the sites that hurt most: by sensitivity where it is known, else by their own SQNR"));
    m_worst->setAccessibleName(tr("Only the worst %1 sites").arg(kWorstCount));
    connect(m_worst, &QToolButton::toggled, this, [this] {
        updateWorst();
        applyFilter(m_filter->text());
    });
    connect(m_filter, &QLineEdit::textChanged, this, &SiteTreeView::applyFilter);

    buildTree();
    m_stack->addWidget(m_empty);
    m_stack->addWidget(m_tree);
    auto* top = new QHBoxLayout;
    top->setContentsMargins(0, 0, 0, 0);
    top->addWidget(m_filter, 1);
    top->addWidget(m_count);
    top->addWidget(m_worst);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(4, 4, 4, 4);
    layout->setSpacing(4);
    layout->addLayout(top);
    layout->addWidget(m_stack, 1);
    connect(m_model, &SiteTreeModel::editRequested, this, &SiteTreeView::forwardEdit);
    m_model->setPalette(palette());
}

void SiteTreeView::buildTree()
{
    m_tree->setModel(m_proxy);
    m_tree->setAccessibleName(tr("Sites of the model"));
    m_tree->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_tree->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_tree->setUniformRowHeights(true);
    m_tree->setIndentation(14);
    m_tree->setAlternatingRowColors(true);
    m_tree->setAllColumnsShowFocus(true);
    m_tree->setEditTriggers(QAbstractItemView::DoubleClicked | QAbstractItemView::EditKeyPressed
        | QAbstractItemView::AnyKeyPressed);
    m_tree->setContextMenuPolicy(Qt::CustomContextMenu);
    m_tree->setItemDelegateForColumn(SiteTreeModel::Bits, new BitsDelegate(this));
    m_tree->setItemDelegateForColumn(
        SiteTreeModel::Sqnr, new BarDelegate(PlotRole::RoundingError, SiteTreeModel::BarFractionRole, this));
    m_tree->setItemDelegateForColumn(SiteTreeModel::Sensitivity,
        new BarDelegate(PlotRole::ClippingError, SiteTreeModel::BarFractionRole, this));
    m_tree->setItemDelegateForColumn(
        SiteTreeModel::Time, new BarDelegate(PlotRole::RoundingError, SiteTreeModel::BarFractionRole, this));
    QHeaderView* header = m_tree->header();
    header->setStretchLastSection(false);
    header->setSortIndicator(-1, Qt::AscendingOrder); // network order until a header is clicked
    header->setSortIndicatorClearable(true);
    m_tree->setSortingEnabled(true);
    header->setSectionsMovable(true);
    header->setContextMenuPolicy(Qt::ActionsContextMenu);
    const QFontMetrics metrics(m_tree->fontMetrics());
    const auto widthOf = [&metrics](const QString& text) { return metrics.horizontalAdvance(text) + 18; };
    header->resizeSection(SiteTreeModel::Name, widthOf(u"attn.qkv.weight"_s) + 64);
    header->resizeSection(SiteTreeModel::Kind, widthOf(tr("W/A")));
    header->resizeSection(SiteTreeModel::Bits, widthOf(u"4/8/FP"_s) - 6);
    header->resizeSection(SiteTreeModel::Quantizer, widthOf(tr("uniform sym.")));
    header->resizeSection(SiteTreeModel::GranularityColumn, widthOf(tr("per channel")));
    header->resizeSection(SiteTreeModel::Method, widthOf(tr("percentile")));
    header->resizeSection(SiteTreeModel::Sqnr, widthOf(u"-31.4 dB"_s));
    header->resizeSection(SiteTreeModel::Sensitivity, widthOf(tr("Sensitivity")));
    header->resizeSection(SiteTreeModel::Time, widthOf(u"0.000 ms"_s));
    header->resizeSection(SiteTreeModel::State, widthOf(tr("computing")) + 20);
    header->moveSection(header->visualIndex(SiteTreeModel::Sqnr), SiteTreeModel::Quantizer);
    header->moveSection(header->visualIndex(SiteTreeModel::Sensitivity), SiteTreeModel::Quantizer + 1);
    // A narrow tree ends somewhere: weight or activation is told by the icon too.
    header->moveSection(
        header->visualIndex(SiteTreeModel::Kind), header->visualIndex(SiteTreeModel::Sensitivity));
    for (int column = SiteTreeModel::Kind; column < SiteTreeModel::ColumnCount; ++column) {
        auto* action
            = new QAction(m_model->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString(), header);
        action->setCheckable(true);
        action->setChecked(true);
        connect(action, &QAction::toggled, this,
            [this, column](bool shown) { m_tree->setColumnHidden(column, !shown); });
        header->addAction(action);
    }
    connect(m_tree, &QWidget::customContextMenuRequested, this, &SiteTreeView::showContextMenu);
    connect(m_tree->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
        if (!m_silent) {
            emit selectionChangedTo(selectedSites());
        }
    });
}

void SiteTreeView::setRows(std::vector<SiteRow> rows)
{
    const QStringList selected = selectedSites();
    const bool hadSites = !m_model->rows().empty();
    bool reset = false;
    {
        const QScopedValueRollback silent(m_silent, true);
        const auto connection
            = connect(m_model, &QAbstractItemModel::modelReset, this, [&reset] { reset = true; });
        m_model->setRows(std::move(rows));
        disconnect(connection);
    }
    m_stack->setCurrentIndex(m_model->rows().empty() ? 0 : 1);
    if (reset) {
        m_tree->expandAll();
        if (hadSites) {
            setSelectedSites(selected);
        }
    }
    updateWorst();
    applyFilter(m_filter->text());
}

void SiteTreeView::updateRows(const std::vector<SiteRow>& rows)
{
    {
        const QScopedValueRollback silent(m_silent, true); // a sorted row that moves keeps its selection
        m_model->updateRows(rows);
    }
    if (m_worst->isChecked()) {
        updateWorst();
        showCount();
    }
}

void SiteTreeView::updateWorst()
{
    if (!m_worst->isChecked()) {
        m_proxy->setOnly(std::nullopt);
        return;
    }
    std::vector<const SiteRow*> known;
    const bool bySensitivity
        = std::ranges::any_of(m_model->rows(), [](const SiteRow& row) { return row.klNats.has_value(); });
    for (const SiteRow& row : m_model->rows()) {
        if (row.choice.enabled && (bySensitivity ? row.klNats.has_value() : row.sqnrDb.has_value())) {
            known.push_back(&row);
        }
    }
    std::ranges::stable_sort(known, [bySensitivity](const SiteRow* a, const SiteRow* b) {
        return bySensitivity ? *a->klNats > *b->klNats : *a->sqnrDb < *b->sqnrDb;
    });
    known.resize(std::min<std::size_t>(known.size(), kWorstCount));
    QSet<QString> names;
    for (const SiteRow* row : known) {
        names.insert(row->name);
    }
    m_proxy->setOnly(names);
}

void SiteTreeView::setSelectedSites(const QStringList& sites)
{
    const QScopedValueRollback silent(m_silent, true);
    QItemSelection selection;
    QModelIndex first;
    for (const QString& site : sites) {
        const QModelIndex index = m_proxy->mapFromSource(m_model->indexOf(site));
        if (index.isValid()) {
            selection.select(index, index);
            first = first.isValid() ? first : index;
        }
    }
    QItemSelectionModel& model = *m_tree->selectionModel();
    if (first.isValid()) {
        model.setCurrentIndex(first, QItemSelectionModel::NoUpdate);
        m_tree->scrollTo(first);
    }
    model.select(selection, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
}

QStringList SiteTreeView::selectedSites() const
{
    QSet<QString> chosen;
    for (const QModelIndex& index : m_tree->selectionModel()->selectedRows(SiteTreeModel::Name)) {
        for (const QString& site : m_model->sitesAt(m_proxy->mapToSource(index))) {
            chosen.insert(site);
        }
    }
    QStringList sites;
    for (const SiteRow& row : m_model->rows()) {
        if (chosen.contains(row.name)) {
            sites << row.name;
        }
    }
    return sites;
}

QByteArray SiteTreeView::saveState() const
{
    return m_tree->header()->saveState();
}

void SiteTreeView::restoreState(const QByteArray& state)
{
    m_tree->header()->restoreState(state);
    const QList<QAction*> actions = m_tree->header()->actions();
    for (int column = SiteTreeModel::Kind; column < SiteTreeModel::ColumnCount; ++column) {
        actions.at(column - SiteTreeModel::Kind)->setChecked(!m_tree->isColumnHidden(column));
    }
}

void SiteTreeView::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) {
        m_model->setPalette(palette());
        m_filterIcon->setIcon(themedIcon(u"filter"_s, palette()));
    }
}

void SiteTreeView::applyFilter(const QString& text)
{
    m_proxy->setWords(text);
    showCount();
    if (!text.isEmpty()) {
        m_tree->expandAll();
    }
}

void SiteTreeView::showCount()
{
    int shown = 0;
    for (int row = 0; row < m_proxy->rowCount(); ++row) {
        const QModelIndex top = m_proxy->index(row, SiteTreeModel::Name);
        const bool isBlock = m_model->rowCount(m_proxy->mapToSource(top)) > 0;
        shown += isBlock ? m_proxy->rowCount(top) : 1;
    }
    const int all = static_cast<int>(m_model->rows().size());
    m_count->setText(shown == all ? QString::number(all) : tr("%1 of %2").arg(shown).arg(all));
    m_count->setVisible(all > 0);
}

QString SiteTreeView::currentSite() const
{
    const QModelIndex current = m_tree->currentIndex();
    return m_proxy->mapToSource(current).data(SiteTreeModel::SiteNameRole).isValid()
        ? current.siblingAtColumn(SiteTreeModel::Name).data(SiteTreeModel::SiteNameRole).toString()
        : QString();
}

void SiteTreeView::showContextMenu(const QPoint& position)
{
    QMenu menu(this);
    const QString site = currentSite();
    const SiteRow* row = m_model->find(site);
    QAction* apply = menu.addAction(themedIcon(u"role-apply"_s, palette()),
        row ? tr("Apply to all sites of role \"%1\" (%2)").arg(displayName(row->role), displayName(row->kind))
            : tr("Apply to all of this role"));
    apply->setEnabled(row != nullptr);
    connect(apply, &QAction::triggered, this, &SiteTreeView::requestApplyToRole);
    menu.addSeparator();
    const QStringList selected = selectedSites();
    QMenu* bits = menu.addMenu(tr("Bits of the selection"));
    bits->setEnabled(!selected.isEmpty());
    for (const int width : {3, 4, 6, 8}) {
        connect(
            bits->addAction(tr("%1 bits").arg(width)), &QAction::triggered, this, [this, selected, width] {
                emit editRequested(selected, SiteChoicePatch {.enabled = true, .bits = width});
            });
    }
    connect(menu.addAction(tr("Leave in floating point")), &QAction::triggered, this,
        [this, selected] { emit editRequested(selected, SiteChoicePatch {.enabled = false}); });
    menu.addSeparator();
    QAction* copy = menu.addAction(tr("Copy quantizer"));
    copy->setEnabled(row != nullptr);
    connect(copy, &QAction::triggered, this, [this, site] { emit copyRequested(site); });
    QAction* paste = menu.addAction(tr("Paste quantizer"));
    paste->setEnabled(!selected.isEmpty());
    connect(paste, &QAction::triggered, this, [this, selected] { emit pasteRequested(selected); });
    menu.addSeparator();
    connect(menu.addAction(tr("Expand all")), &QAction::triggered, m_tree, &QTreeView::expandAll);
    connect(menu.addAction(tr("Collapse all")), &QAction::triggered, m_tree, &QTreeView::collapseAll);
    menu.exec(m_tree->viewport()->mapToGlobal(position));
}

void SiteTreeView::requestApplyToRole()
{
    if (const QString site = currentSite(); !site.isEmpty()) {
        emit applyToRoleRequested(site);
    }
}

void SiteTreeView::forwardEdit(const QStringList& sites, const SiteChoicePatch& patch)
{
    const QStringList selected = selectedSites();
    const bool partOfSelection = std::any_of(
        sites.begin(), sites.end(), [&selected](const QString& site) { return selected.contains(site); });
    emit editRequested(partOfSelection ? selected : sites, patch);
}

} // namespace qs
