#pragma once

#include "widgets/common/site_choice_patch.h"
#include "widgets/models/site_row.h"

#include <QAbstractItemModel>
#include <QHash>
#include <QPalette>
#include <QStringList>

#include <vector>

namespace qs {

/// Blocks and their sites as a two-level tree over a snapshot. Sites outside blocks stand on the top level.
/// Block rows sum up their sites: common values, lowest SQNR, highest sensitivity, sum of the times.
/// setRows() emits minimal dataChanged and resets only when names or blocks change. setData() never writes:
/// it asks with editRequested().
class SiteTreeModel : public QAbstractItemModel
{
    Q_OBJECT
public:
    enum Column {
        Name, ///< with check box: quantized or in floating point
        Kind,
        Bits,
        Quantizer,
        GranularityColumn,
        Method,
        Sqnr,
        Sensitivity,
        Time,
        State,
        ColumnCount
    };
    enum DataRole {
        SiteNameRole = Qt::UserRole, ///< full name, "" for a block
        SearchTextRole, ///< what a filter matches: names and role words
        BarFractionRole, ///< length of the bar in [0, 1] in columns Sqnr, Sensitivity and Time; invalid
                         ///< without value
        SortRole, ///< number or text to sort by
        ResultStateRole ///< int(ResultState)
    };

    explicit SiteTreeModel(QObject* parent = nullptr);
    ~SiteTreeModel() override;

    /// Rows in network order.
    void setRows(std::vector<SiteRow> rows);
    /// New values of some of the rows; names that are not there are passed over.
    void updateRows(const std::vector<SiteRow>& rows);
    [[nodiscard]] const std::vector<SiteRow>& rows() const { return m_rows; }
    /// Null when there is no such site.
    [[nodiscard]] const SiteRow* find(const QString& site) const;
    /// Invalid when there is no such site.
    [[nodiscard]] QModelIndex indexOf(const QString& site, int column = Name) const;
    /// The site of a site row, all sites of a block row.
    [[nodiscard]] QStringList sitesAt(const QModelIndex& index) const;
    /// For icons and greyed text.
    void setPalette(const QPalette& palette);

    [[nodiscard]] QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    [[nodiscard]] QModelIndex parent(const QModelIndex& index) const override;
    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    [[nodiscard]] Qt::ItemFlags flags(const QModelIndex& index) const override;
    /// Bits (int) and check state; returns true when the request was emitted.
    bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;

signals:
    void editRequested(const QStringList& sites, const qs::SiteChoicePatch& patch);

private:
    struct Node; ///< top-level entry: a block or a lone site
    [[nodiscard]] QVariant siteData(const SiteRow& row, int column, int role) const;
    [[nodiscard]] QVariant blockData(const Node& node, int column, int role) const;
    [[nodiscard]] std::optional<double> timeOf(const Node& node) const;
    [[nodiscard]] QVariant barFraction(const SiteRow& row, int column) const;
    void rebuild(std::vector<SiteRow> rows);
    void updateScales();
    /// dataChanged from the first to the last changed site of the node; of all when `whole`.
    void emitChanges(std::size_t node, const std::vector<bool>& changed, bool whole);

    std::vector<SiteRow> m_rows;
    std::vector<Node> m_nodes;
    QHash<QString, int> m_rowOf; ///< site name -> index in m_rows
    std::vector<int> m_nodeOf; ///< row -> node
    double m_largestKl = 0.0;
    double m_largestTime = 0.0; ///< of a site, ms
    double m_largestBlockTime = 0.0;
    QPalette m_palette;
};

} // namespace qs
