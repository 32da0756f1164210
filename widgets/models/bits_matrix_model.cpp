#include "widgets/models/bits_matrix_model.h"

#include "widgets/common/display_names.h"
#include "widgets/plot/plot_style.h"

#include <QHash>

#include <algorithm>
#include <utility>

using namespace Qt::StringLiterals;

namespace qs {

BitsMatrixModel::BitsMatrixModel(QObject* parent)
    : QAbstractTableModel(parent)
{
}

void BitsMatrixModel::setRows(const std::vector<SiteRow>& rows)
{
    std::vector<Layer> layers;
    QHash<QString, std::size_t> known;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const SiteRow& row = rows[i];
        if (!known.contains(row.layer)) {
            known.insert(row.layer, layers.size());
            layers.push_back({row.layer});
        }
        Layer& layer = layers[known.value(row.layer)];
        const int column = row.kind == SiteKind::Weight ? Weight
            : layer.rows[Input] < 0                     ? Input
                                                        : SecondInput;
        layer.rows[static_cast<std::size_t>(column)] = static_cast<int>(i);
    }
    const auto sameSites = [&] {
        return rows.size() == m_rows.size()
            && std::equal(rows.begin(), rows.end(), m_rows.begin(),
                [](const SiteRow& a, const SiteRow& b) { return a.name == b.name; });
    };
    if (layers == m_layers && sameSites()) {
        updateRows(rows);
        return;
    }
    beginResetModel();
    m_rows = rows;
    m_layers = std::move(layers);
    m_rowOf.clear();
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        m_rowOf.insert(m_rows[i].name, static_cast<int>(i));
    }
    endResetModel();
}

void BitsMatrixModel::updateRows(const std::vector<SiteRow>& rows)
{
    for (const SiteRow& row : rows) {
        const auto found = m_rowOf.constFind(row.name);
        if (found == m_rowOf.constEnd()) {
            continue;
        }
        SiteRow& present = m_rows[static_cast<std::size_t>(*found)];
        const bool looksTheSame = present.choice == row.choice;
        present = row;
        if (!looksTheSame) {
            const QModelIndex cell = indexOf(row.name);
            emit dataChanged(cell, cell);
        }
    }
}

void BitsMatrixModel::setPalette(const QPalette& palette)
{
    m_palette = palette;
    if (!m_layers.empty()) {
        emit dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
    }
}

QStringList BitsMatrixModel::sitesAt(const QModelIndexList& cells) const
{
    QStringList sites;
    for (const QModelIndex& cell : cells) {
        if (const SiteRow* row = at(cell); row != nullptr && !sites.contains(row->name)) {
            sites << row->name;
        }
    }
    return sites;
}

QModelIndex BitsMatrixModel::indexOf(const QString& site) const
{
    for (std::size_t layer = 0; layer < m_layers.size(); ++layer) {
        for (int column = 0; column < ColumnCount; ++column) {
            const int row = m_layers[layer].rows[static_cast<std::size_t>(column)];
            if (row >= 0 && m_rows[static_cast<std::size_t>(row)].name == site) {
                return index(static_cast<int>(layer), column);
            }
        }
    }
    return {};
}

QString BitsMatrixModel::textAt(const QModelIndex& cell) const
{
    const SiteRow* row = at(cell);
    return row == nullptr ? QString() : row->choice.enabled ? QString::number(row->choice.bits) : u"FP"_s;
}

std::optional<SiteChoicePatch> BitsMatrixModel::patchFor(const QString& text)
{
    const QString word = text.trimmed();
    if (word.compare(u"FP"_s, Qt::CaseInsensitive) == 0) {
        return SiteChoicePatch {.enabled = false};
    }
    bool isNumber = false;
    const int bits = word.toInt(&isNumber);
    if (!isNumber || bits < kMinBits || bits > kMaxBits) {
        return std::nullopt;
    }
    return SiteChoicePatch {.enabled = true, .bits = bits};
}

int BitsMatrixModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_layers.size());
}

int BitsMatrixModel::columnCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

const SiteRow* BitsMatrixModel::at(const QModelIndex& index) const
{
    if (!index.isValid()) {
        return nullptr;
    }
    const int row
        = m_layers[static_cast<std::size_t>(index.row())].rows[static_cast<std::size_t>(index.column())];
    return row < 0 ? nullptr : &m_rows[static_cast<std::size_t>(row)];
}

QVariant BitsMatrixModel::data(const QModelIndex& index, int role) const
{
    const SiteRow* row = at(index);
    if (row == nullptr) {
        return {};
    }
    switch (role) {
    case Qt::DisplayRole: return textAt(index);
    case Qt::EditRole: return row->choice.bits;
    case Qt::TextAlignmentRole: return Qt::AlignCenter;
    case SiteNameRole: return row->name;
    case Qt::ToolTipRole:
        return tr("%1\n%2, %3").arg(row->name, displayName(row->role), displayName(row->choice.kind));
    case Qt::AccessibleTextRole:
        return tr("%1: %2").arg(
            row->name, row->choice.enabled ? tr("%1 bits").arg(row->choice.bits) : tr("floating point"));
    case Qt::BackgroundRole: {
        if (!row->choice.enabled) {
            return {};
        }
        // The fewer bits, the stronger; the number in the cell says the same.
        const PlotStyle style(m_palette);
        QColor colour = style.colour(row->kind == SiteKind::Weight ? PlotRole::Weight : PlotRole::Activation);
        constexpr float kStrongest = 0.55F;
        const float range = static_cast<float>(kMaxBits - kMinBits);
        const float depth = static_cast<float>(kMaxBits - row->choice.bits) / range;
        colour.setAlphaF(kStrongest * depth * depth);
        return colour;
    }
    default: return {};
    }
}

QVariant BitsMatrixModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation == Qt::Vertical) {
        return role == Qt::DisplayRole && section < rowCount()
            ? QVariant(m_layers[static_cast<std::size_t>(section)].name)
            : QVariant();
    }
    if (role == Qt::ToolTipRole) {
        return section == Weight ? tr("Bits of the weight") : tr("Bits of an activation the layer reads");
    }
    if (role != Qt::DisplayRole) {
        return {};
    }
    switch (section) {
    case Weight: return tr("W");
    case Input: return tr("A");
    default: return tr("A (second)");
    }
}

Qt::ItemFlags BitsMatrixModel::flags(const QModelIndex& index) const
{
    return at(index) == nullptr ? Qt::NoItemFlags
                                : Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsEditable;
}

bool BitsMatrixModel::setData(const QModelIndex& index, const QVariant& value, int role)
{
    if (role != Qt::EditRole || at(index) == nullptr || !patchFor(value.toString())) {
        return false;
    }
    emit bitsEntered(index, value.toInt());
    return true;
}

} // namespace qs
