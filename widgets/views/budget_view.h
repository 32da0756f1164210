#pragma once

#include "widgets/plot/budget_chart.h"

#include <QWidget>

class QComboBox;

namespace qs {

class ElidedLabel;
class PlotLegend;

/// A budget of bits for the weights or for the activations: which of them, what the chosen plan comes to, and
/// the chart to choose it from.
class BudgetView : public QWidget
{
    Q_OBJECT
public:
    explicit BudgetView(QWidget* parent = nullptr);

    [[nodiscard]] bool isForActivations() const;
    [[nodiscard]] BudgetChart* chart() const { return m_chart; }
    [[nodiscard]] QComboBox* kindBox() const { return m_kind; }
    /// What the chosen plan comes to; `shorter` for a narrow view.
    void setReadout(const QString& text, const QString& shorter = {});
    [[nodiscard]] QString readout() const;

signals:
    void kindChanged(); ///< by the user

private:
    QComboBox* m_kind;
    ElidedLabel* m_readout;
    PlotLegend* m_legend;
    BudgetChart* m_chart;
};

} // namespace qs
