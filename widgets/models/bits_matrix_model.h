#pragma once

#include "widgets/common/site_choice_patch.h"
#include "widgets/models/site_row.h"

#include <QAbstractTableModel>
#include <QHash>
#include <QPalette>
#include <QStringList>

#include <array>
#include <optional>
#include <vector>

namespace qs {

/// Bits of every layer as a sheet: a row per layer in network order, columns for its weight and for up to two
/// activations it reads (a product of activations has two). A snapshot; edits are requests.
class BitsMatrixModel : public QAbstractTableModel
{
    Q_OBJECT
public:
    enum Column { Weight, Input, SecondInput, ColumnCount };
    static constexpr int SiteNameRole = Qt::UserRole; ///< "" where the layer has no such site

    explicit BitsMatrixModel(QObject* parent = nullptr);

    /// Rows in network order; emits dataChanged of the cells that changed when layers and sites are the same.
    void setRows(const std::vector<SiteRow>& rows);
    /// New values of some of the rows; names that are not there are passed over.
    void updateRows(const std::vector<SiteRow>& rows);
    void setPalette(const QPalette& palette);
    /// Names of the sites in these cells, each once.
    [[nodiscard]] QStringList sitesAt(const QModelIndexList& cells) const;
    [[nodiscard]] QModelIndex indexOf(const QString& site) const;
    /// "4", "FP" or "" as the cell shows it.
    [[nodiscard]] QString textAt(const QModelIndex& cell) const;
    /// What typing or pasting the text into a cell means; nullopt for text that is no bit width and not "FP".
    [[nodiscard]] static std::optional<SiteChoicePatch> patchFor(const QString& text);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;
    /// Bits (int); returns true when the request was emitted.
    bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;

signals:
    void bitsEntered(const QModelIndex& cell, int bits);

private:
    struct Layer
    {
        QString name;
        std::array<int, ColumnCount> rows {-1, -1, -1}; ///< indices into m_rows

        friend bool operator==(const Layer&, const Layer&) = default;
    };

    [[nodiscard]] const SiteRow* at(const QModelIndex& index) const;

    std::vector<SiteRow> m_rows;
    std::vector<Layer> m_layers;
    QHash<QString, int> m_rowOf; ///< site name -> index in m_rows
    QPalette m_palette;
};

} // namespace qs
