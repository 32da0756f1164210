#pragma once

#include "app/ui/workbench.h"
#include "core/eval/bit_allocation.h"
#include "widgets/common/edit_phase.h"

#include <QObject>
#include <QTimer>

namespace qs {

class BudgetView;

/// Shows what bits buy, by the sensitivities at several widths, and turns a dragged budget into one edit.
class BudgetController : public QObject
{
    Q_OBJECT
public:
    explicit BudgetController(const Workbench& bench);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void show();
    void showReadout();
    void editBudget(double meanBits, EditPhase phase);
    [[nodiscard]] BudgetKind kind() const;

    const Workbench m_bench;
    BudgetView* m_view;
    std::vector<Allocation> m_front;
    QTimer m_quiet; ///< edits and measurements come many at a time
};

} // namespace qs
