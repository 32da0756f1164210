#pragma once

#include "core/eval/metrics.h"
#include "core/eval/plan_figures.h"
#include "widgets/common/result_state.h"

#include <QString>
#include <QWidget>

#include <optional>
#include <vector>

class QLabel;
class QStackedWidget;
class QTableWidget;

namespace qs {

/// One named result in the MetricsTable.
struct MetricsRow
{
    QString name; ///< "FP32", "W4A4 min-max"
    std::optional<Metrics> metrics;
    ResultState state = ResultState::Live;
    std::optional<PlanFigures> figures {};
};

/// Plans side by side; the first row is the reference that differences are told against. NLL and perplexity
/// are shown where a row has them.
class MetricsTable : public QWidget
{
    Q_OBJECT
public:
    enum Column {
        Name,
        Top1,
        Top5,
        Nll,
        Perplexity,
        Agreement,
        Kl,
        Sqnr,
        Samples,
        WeightBits,
        ActivationBits,
        Size,
        State,
        ColumnCount
    };

    explicit MetricsTable(QWidget* parent = nullptr);

    /// Shown while there are no rows.
    void setEmptyText(const QString& text);
    /// The selection stays with the positions.
    void setRows(std::vector<MetricsRow> rows);
    /// Ascending.
    [[nodiscard]] QList<int> selectedRows() const;
    [[nodiscard]] QTableWidget* table() const { return m_table; }
    /// Tab-separated with a header line, full precision, C locale.
    [[nodiscard]] QString toText() const;

signals:
    void rowActivated(int row); ///< double click or Enter
    void selectionChanged(); ///< by the user

protected:
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void fill();
    void fillRow(int row, const MetricsRow& result);

    std::vector<MetricsRow> m_rows;
    QTableWidget* m_table;
    QLabel* m_empty;
    QStackedWidget* m_stack;
};

} // namespace qs
