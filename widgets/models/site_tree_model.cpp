#include "widgets/models/site_tree_model.h"

#include "widgets/common/display_names.h"
#include "widgets/common/icons.h"
#include "widgets/models/site_cell_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr double kFullBarDb = 50.0; ///< SQNR that fills its bar

/// Top-level items carry this internal id, site rows below a block the number of their node plus one.
constexpr quintptr kTopLevel = 0;

bool isNumberColumn(int column)
{
    return column == SiteTreeModel::Bits || column == SiteTreeModel::Sqnr
        || column == SiteTreeModel::Sensitivity || column == SiteTreeModel::Time;
}

} // namespace

struct SiteTreeModel::Node
{
    QString block; ///< "" for a lone site
    std::vector<int> rows; ///< indices in m_rows; one for a lone site
};

SiteTreeModel::SiteTreeModel(QObject* parent)
    : QAbstractItemModel(parent)
{
}

SiteTreeModel::~SiteTreeModel() = default;

void SiteTreeModel::setRows(std::vector<SiteRow> rows)
{
    const bool sameSites = std::equal(rows.begin(), rows.end(), m_rows.begin(), m_rows.end(),
        [](const SiteRow& a, const SiteRow& b) { return a.name == b.name && a.block == b.block; });
    if (sameSites) {
        updateRows(rows);
    } else {
        rebuild(std::move(rows));
    }
}

void SiteTreeModel::updateRows(const std::vector<SiteRow>& rows)
{
    std::vector<bool> changed(m_rows.size(), false);
    std::vector<bool> nodeChanged(m_nodes.size(), false);
    for (const SiteRow& row : rows) {
        const auto found = m_rowOf.constFind(row.name);
        if (found == m_rowOf.constEnd() || m_rows[static_cast<std::size_t>(*found)] == row) {
            continue;
        }
        const auto place = static_cast<std::size_t>(*found);
        m_rows[place] = row;
        changed[place] = true;
        nodeChanged[static_cast<std::size_t>(m_nodeOf[place])] = true;
    }
    const std::array scalesBefore {m_largestKl, m_largestTime, m_largestBlockTime};
    updateScales();
    const bool rescaled = std::array {m_largestKl, m_largestTime, m_largestBlockTime} != scalesBefore;
    for (std::size_t node = 0; node < m_nodes.size(); ++node) {
        if (nodeChanged[node] || rescaled) {
            emitChanges(node, changed, rescaled);
        }
    }
}

void SiteTreeModel::emitChanges(std::size_t node, const std::vector<bool>& changed, bool whole)
{
    const QModelIndex top = index(static_cast<int>(node), Name);
    emit dataChanged(top, top.siblingAtColumn(ColumnCount - 1));
    if (m_nodes[node].block.isEmpty()) {
        return;
    }
    const std::vector<int>& members = m_nodes[node].rows;
    int first = whole ? 0 : static_cast<int>(members.size());
    int last = whole ? static_cast<int>(members.size()) - 1 : -1;
    for (int i = 0; i < static_cast<int>(members.size()) && !whole; ++i) {
        if (changed[static_cast<std::size_t>(members[static_cast<std::size_t>(i)])]) {
            first = std::min(first, i);
            last = i;
        }
    }
    emit dataChanged(index(first, Name, top), index(last, ColumnCount - 1, top));
}

void SiteTreeModel::rebuild(std::vector<SiteRow> rows)
{
    beginResetModel();
    m_rows = std::move(rows);
    m_nodes.clear();
    m_rowOf.clear();
    m_nodeOf.assign(m_rows.size(), 0);
    QHash<QString, int> nodeOfBlock;
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        const QString& block = m_rows[i].block;
        int node = block.isEmpty() ? -1 : nodeOfBlock.value(block, -1);
        if (node < 0) {
            node = static_cast<int>(m_nodes.size());
            m_nodes.push_back({block, {}});
            if (!block.isEmpty()) {
                nodeOfBlock.insert(block, node);
            }
        }
        m_nodes[static_cast<std::size_t>(node)].rows.push_back(static_cast<int>(i));
        m_nodeOf[i] = node;
        m_rowOf.insert(m_rows[i].name, static_cast<int>(i));
    }
    updateScales();
    endResetModel();
}

void SiteTreeModel::updateScales()
{
    m_largestKl = 0.0;
    m_largestTime = 0.0;
    m_largestBlockTime = 0.0;
    for (const SiteRow& row : m_rows) {
        m_largestKl = std::max(m_largestKl, row.klNats.value_or(0.0));
        m_largestTime = std::max(m_largestTime, row.milliseconds.value_or(0.0));
    }
    for (const Node& node : m_nodes) {
        if (!node.block.isEmpty()) {
            m_largestBlockTime = std::max(m_largestBlockTime, timeOf(node).value_or(0.0));
        }
    }
}

/// Of all sites of a block; nothing before they were measured.
std::optional<double> SiteTreeModel::timeOf(const Node& node) const
{
    std::optional<double> sum;
    for (const int row : node.rows) {
        if (const auto& time = m_rows[static_cast<std::size_t>(row)].milliseconds) {
            sum = sum.value_or(0.0) + *time;
        }
    }
    return sum;
}

const SiteRow* SiteTreeModel::find(const QString& site) const
{
    const auto found = m_rowOf.constFind(site);
    return found == m_rowOf.constEnd() ? nullptr : &m_rows[static_cast<std::size_t>(*found)];
}

QModelIndex SiteTreeModel::indexOf(const QString& site, int column) const
{
    const auto found = m_rowOf.constFind(site);
    if (found == m_rowOf.constEnd()) {
        return {};
    }
    const int nodeIndex = m_nodeOf[static_cast<std::size_t>(*found)];
    const Node& node = m_nodes[static_cast<std::size_t>(nodeIndex)];
    if (node.block.isEmpty()) {
        return index(nodeIndex, column);
    }
    const auto position = std::find(node.rows.begin(), node.rows.end(), *found) - node.rows.begin();
    return index(static_cast<int>(position), column, index(nodeIndex, Name));
}

QStringList SiteTreeModel::sitesAt(const QModelIndex& index) const
{
    QStringList sites;
    if (!index.isValid()) {
        return sites;
    }
    const bool isTop = index.internalId() == kTopLevel;
    const auto nodeIndex
        = isTop ? static_cast<std::size_t>(index.row()) : static_cast<std::size_t>(index.internalId() - 1);
    const Node& node = m_nodes[nodeIndex];
    if (!isTop) {
        sites << m_rows[static_cast<std::size_t>(node.rows[static_cast<std::size_t>(index.row())])].name;
        return sites;
    }
    for (const int row : node.rows) {
        sites << m_rows[static_cast<std::size_t>(row)].name;
    }
    return sites;
}

void SiteTreeModel::setPalette(const QPalette& palette)
{
    m_palette = palette;
    for (int node = 0; node < rowCount(); ++node) {
        const QModelIndex top = index(node, Name);
        emit dataChanged(top, top, {Qt::DecorationRole, Qt::ForegroundRole});
        if (const int children = rowCount(top); children > 0) {
            emit dataChanged(index(0, Name, top), index(children - 1, ColumnCount - 1, top),
                {Qt::DecorationRole, Qt::ForegroundRole});
        }
    }
}

QModelIndex SiteTreeModel::index(int row, int column, const QModelIndex& parent) const
{
    if (!hasIndex(row, column, parent)) {
        return {};
    }
    return createIndex(row, column, parent.isValid() ? static_cast<quintptr>(parent.row()) + 1 : kTopLevel);
}

QModelIndex SiteTreeModel::parent(const QModelIndex& index) const
{
    if (!index.isValid() || index.internalId() == kTopLevel) {
        return {};
    }
    return createIndex(static_cast<int>(index.internalId() - 1), Name, kTopLevel);
}

int SiteTreeModel::rowCount(const QModelIndex& parent) const
{
    if (!parent.isValid()) {
        return static_cast<int>(m_nodes.size());
    }
    if (parent.internalId() != kTopLevel || parent.column() != Name) {
        return 0;
    }
    const Node& node = m_nodes[static_cast<std::size_t>(parent.row())];
    return node.block.isEmpty() ? 0 : static_cast<int>(node.rows.size());
}

int SiteTreeModel::columnCount(const QModelIndex&) const
{
    return ColumnCount;
}

QVariant SiteTreeModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid()) {
        return {};
    }
    if (role == Qt::TextAlignmentRole) {
        return isNumberColumn(index.column()) ? QVariant(Qt::AlignRight | Qt::AlignVCenter) : QVariant();
    }
    const bool isTop = index.internalId() == kTopLevel;
    const auto nodeIndex
        = isTop ? static_cast<std::size_t>(index.row()) : static_cast<std::size_t>(index.internalId() - 1);
    const Node& node = m_nodes[nodeIndex];
    if (isTop && !node.block.isEmpty()) {
        return blockData(node, index.column(), role);
    }
    const int row = isTop ? node.rows.front() : node.rows[static_cast<std::size_t>(index.row())];
    return siteData(m_rows[static_cast<std::size_t>(row)], index.column(), role);
}

QVariant SiteTreeModel::siteData(const SiteRow& row, int column, int role) const
{
    switch (role) {
    case Qt::DisplayRole: return siteCellText(row, column);
    case Qt::EditRole:
        return column == Bits ? QVariant(row.choice.bits) : QVariant(siteCellText(row, column));
    case Qt::ToolTipRole: return siteCellTip(row, column);
    case Qt::CheckStateRole:
        return column == Name ? QVariant(row.choice.enabled ? Qt::Checked : Qt::Unchecked) : QVariant();
    case Qt::DecorationRole:
        if (column == Name) {
            return roleIcon(row.role, row.kind, m_palette);
        }
        return column == State && row.choice.enabled ? QVariant(stateIcon(row.state, m_palette)) : QVariant();
    case Qt::ForegroundRole:
        return row.choice.enabled || column == Sensitivity || column == Time
            ? QVariant()
            : QVariant(m_palette.brush(QPalette::PlaceholderText));
    case Qt::AccessibleTextRole:
        return column == Name ? tr("%1, %2").arg(row.name, displayName(row.kind)) : siteCellText(row, column);
    case SiteNameRole: return row.name;
    case SearchTextRole:
        return QString(row.name + u' ' + displayName(row.role) + u' ' + displayName(row.kind));
    case BarFractionRole: return barFraction(row, column);
    case ResultStateRole: return static_cast<int>(row.state);
    case SortRole: break;
    default: return {};
    }
    switch (column) { // numbers, not their text; without one first
    case Sqnr: return row.sqnrDb.value_or(1e9);
    case Sensitivity: return row.klNats.value_or(-1.0);
    case Time: return row.milliseconds.value_or(-1.0);
    default: return siteCellText(row, column);
    }
}

QVariant SiteTreeModel::barFraction(const SiteRow& row, int column) const
{
    if (column == Sqnr && row.choice.enabled && row.sqnrDb && !std::isnan(*row.sqnrDb)) {
        return std::clamp(*row.sqnrDb / kFullBarDb, 0.0, 1.0);
    }
    if (column == Sensitivity && row.klNats && m_largestKl > 0.0) {
        return std::clamp(*row.klNats / m_largestKl, 0.0, 1.0);
    }
    if (column == Time && row.milliseconds && m_largestTime > 0.0) {
        return std::clamp(*row.milliseconds / m_largestTime, 0.0, 1.0);
    }
    return {};
}

QVariant SiteTreeModel::blockData(const Node& node, int column, int role) const
{
    const auto member = [&](int row) -> const SiteRow& { return m_rows[static_cast<std::size_t>(row)]; };
    if (role == Qt::CheckStateRole && column == Name) {
        const auto enabled = std::count_if(
            node.rows.begin(), node.rows.end(), [&](int row) { return member(row).choice.enabled; });
        return enabled == 0                                  ? Qt::Unchecked
            : enabled == static_cast<long>(node.rows.size()) ? Qt::Checked
                                                             : Qt::PartiallyChecked;
    }
    if (column == Name) {
        switch (role) {
        case Qt::DisplayRole:
        case Qt::EditRole:
        case SearchTextRole:
        case SortRole: return node.block;
        case SiteNameRole: return QString();
        case Qt::DecorationRole: return themedIcon(u"block"_s, m_palette);
        case Qt::ToolTipRole: return tr("%1: %2 sites").arg(node.block).arg(node.rows.size());
        default: return {};
        }
    }
    if (column == Sqnr || column == Sensitivity) {
        // The worst member speaks for the block.
        const SiteRow* worst = nullptr;
        for (const int row : node.rows) {
            const SiteRow& site = member(row);
            const bool has = column == Sqnr ? site.sqnrDb && site.choice.enabled : site.klNats.has_value();
            if (has
                && (!worst
                    || (column == Sqnr ? *site.sqnrDb < *worst->sqnrDb : *site.klNats > *worst->klNats))) {
                worst = &site;
            }
        }
        if (!worst) {
            return {};
        }
        return role == Qt::ToolTipRole
            ? QVariant(tr("worst: %1\n%2").arg(worst->name, siteCellTip(*worst, column)))
            : siteData(*worst, column, role);
    }
    if (column == Time) {
        const std::optional<double> time = timeOf(node);
        switch (role) {
        case Qt::DisplayRole:
        case Qt::EditRole:
        case Qt::AccessibleTextRole: return time ? QVariant(timeText(*time)) : QVariant();
        case SortRole: return time.value_or(-1.0);
        case BarFractionRole:
            return time && m_largestBlockTime > 0.0 ? QVariant(*time / m_largestBlockTime) : QVariant();
        case Qt::ToolTipRole:
            return time ? QVariant(tr("%1 per sample in all operators of the block").arg(timeText(*time)))
                        : QVariant(tr("Run › Profile measures it"));
        default: return {};
        }
    }
    if (column == State) {
        // What waits for results is told first.
        for (const ResultState state : {ResultState::Stale, ResultState::Computing, ResultState::Live}) {
            for (const int row : node.rows) {
                if (member(row).choice.enabled && member(row).state == state) {
                    return siteData(member(row), column, role);
                }
            }
        }
        return {};
    }
    if (role != Qt::DisplayRole && role != Qt::EditRole && role != SortRole) {
        return {};
    }
    QStringList values; // distinct ones in order
    for (const int row : node.rows) {
        const QString value = siteCellText(member(row), column);
        if (!value.isEmpty() && !values.contains(value)) {
            values << value;
        }
    }
    if (column == Bits || column == Kind) {
        std::sort(values.begin(), values.end(), [](const QString& a, const QString& b) {
            return a.size() == b.size() ? a < b : a.size() < b.size(); // 4 before 10
        });
        return values.join(u'/');
    }
    return values.size() > 1 ? tr("mixed") : values.value(0);
}

QVariant SiteTreeModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal) {
        return {};
    }
    switch (role) {
    case Qt::DisplayRole: return siteColumnTitle(section);
    case Qt::ToolTipRole: return siteColumnTip(section);
    case Qt::TextAlignmentRole:
        return QVariant((isNumberColumn(section) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    default: return {};
    }
}

Qt::ItemFlags SiteTreeModel::flags(const QModelIndex& index) const
{
    Qt::ItemFlags flags = QAbstractItemModel::flags(index);
    if (!index.isValid()) {
        return flags;
    }
    if (index.column() == Name) {
        flags |= Qt::ItemIsUserCheckable;
    }
    if (index.column() == Bits) {
        flags |= Qt::ItemIsEditable;
    }
    if (rowCount(index.siblingAtColumn(Name)) == 0) {
        flags |= Qt::ItemNeverHasChildren;
    }
    return flags;
}

bool SiteTreeModel::setData(const QModelIndex& index, const QVariant& value, int role)
{
    if (!index.isValid()) {
        return false;
    }
    SiteChoicePatch patch;
    if (role == Qt::CheckStateRole && index.column() == Name) {
        patch.enabled = value.toInt() != Qt::Unchecked;
    } else if (role == Qt::EditRole && index.column() == Bits) {
        bool isNumber = false;
        const int bits = value.toInt(&isNumber);
        if (!isNumber || bits < kMinBits || bits > kMaxBits) {
            return false;
        }
        patch.bits = bits;
        patch.enabled = true;
    } else {
        return false;
    }
    emit editRequested(sitesAt(index), patch);
    return true;
}

} // namespace qs
