#pragma once

#include "widgets/common/edit_phase.h"
#include "widgets/plot/plot_widget.h"

#include <QString>

#include <optional>
#include <vector>

class QCPGraph;
class QCPLayer;
class QStackedLayout;

namespace qs {

class DraggableBound;
class EmptyLabel;

/// What a plan costs and what it is predicted to reach.
struct BudgetPoint
{
    double meanBits = 0.0;
    double sqnrDb = 0.0; ///< of the logits; infinite without error, -infinite where that is not known

    friend bool operator==(const BudgetPoint&, const BudgetPoint&) = default;
};

/// The best plans for every budget of bits, and the budget itself as a line to be dragged; the best plan
/// within it is marked, and so is the present one. Keys: the arrows move the budget from plan to plan, Escape
/// takes a movement back. The wheel zooms, R shows all.
class BudgetChart : public PlotWidget
{
    Q_OBJECT
public:
    explicit BudgetChart(QWidget* parent = nullptr);

    /// By mean bits, ascending; empty shows the empty state.
    void setFront(std::vector<BudgetPoint> front);
    /// Not on the front as a rule; its bits are the budget until that is dragged.
    void setPresent(const std::optional<BudgetPoint>& present);
    void setEmptyText(const QString& text);
    [[nodiscard]] double budget() const;
    /// Index of the best plan within the budget; -1 without a front.
    [[nodiscard]] int chosen() const;
    [[nodiscard]] QString csv() const;
    [[nodiscard]] QSize sizeHint() const override;

signals:
    /// The budget in the user's hand. Begin carries the one before the gesture, Abort the same again.
    void budgetEdited(double meanBits, qs::EditPhase phase);

protected:
    void applyStyle(const PlotStyle& style) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void buildGraphs();
    void resetView();
    void showChosen();
    void showReadout(double pixel);
    [[nodiscard]] double stepped(double value, int steps) const;

    EmptyLabel* m_empty;
    QStackedLayout* m_stack;
    QCPLayer* m_liveLayer = nullptr;
    QCPGraph* m_line = nullptr;
    QCPGraph* m_presentMark = nullptr;
    QCPGraph* m_chosenMark = nullptr;
    DraggableBound* m_budget = nullptr;
    std::vector<BudgetPoint> m_front;
    std::optional<BudgetPoint> m_present;
};

} // namespace qs
