#pragma once

#include "widgets/plot/layer_sqnr_chart.h"
#include "widgets/views/flip_list.h"
#include "widgets/views/metrics_table.h"

#include <QWidget>

class QPushButton;

namespace qs {

/// Results side by side: the table of all of them; of two chosen ones the SQNR behind every layer and the
/// samples they tell apart. Shows what it is given; which rows mean what is the owner's business.
class CompareView : public QWidget
{
    Q_OBJECT
public:
    explicit CompareView(QWidget* parent = nullptr);

    [[nodiscard]] MetricsTable* metrics() const { return m_metrics; }
    [[nodiscard]] LayerSqnrChart* chart() const { return m_chart; }
    [[nodiscard]] FlipList* flips() const { return m_flips; }
    /// Which of the buttons make sense for the selected rows.
    void setAvailable(bool canSnapshot, bool canRestore, bool canEdit);

signals:
    void snapshotRequested();
    void restoreRequested(); ///< make the selected row's plan the present one
    void renameRequested();
    void removeRequested();

private:
    MetricsTable* m_metrics;
    LayerSqnrChart* m_chart;
    FlipList* m_flips;
    QPushButton* m_snapshot;
    QPushButton* m_restore;
    QPushButton* m_rename;
    QPushButton* m_remove;
};

} // namespace qs
