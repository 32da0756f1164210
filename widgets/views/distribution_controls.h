#pragma once

#include "core/quant/quantizer.h"
#include "core/stats/site_statistics.h"
#include "widgets/plot/histogram_axis.h"
#include "widgets/plot/plot_legend.h"

#include <QWidget>

#include <optional>
#include <vector>

class QComboBox;
class QToolButton;

namespace qs {

class GhostMenu;
class NumberEdit;

/// The two lines above a histogram: which part is shown, the bounds as numbers, methods and overlays, the
/// scales of the axes, and the legend. Setters are silent.
class DistributionControls : public QWidget
{
    Q_OBJECT
public:
    explicit DistributionControls(QWidget* parent = nullptr);

    /// The tensor and each of the groups; null: the tensor alone.
    void setGroups(const SiteStatistics* statistics);
    void setGroup(int group); ///< -1: the tensor
    /// Bounds of a quantizer over a histogram (null: of unknown bins), whose width is the step of the fields.
    /// nullopt empties them.
    void setBounds(const std::optional<Bounds>& bounds, const Histogram* histogram, bool isLogarithmic);
    void setEnabledParts(bool lower, bool upper, bool automatic);
    void setScales(AxisScale count, AxisScale value, bool canUseLogValues);
    void setLegend(std::vector<PlotLegend::Entry> entries) { m_legend->setEntries(std::move(entries)); }
    /// What Auto asks for.
    void setMethod(BoundMethod method) { m_method = method; }
    [[nodiscard]] BoundMethod method() const { return m_method; }

    [[nodiscard]] GhostMenu* ghostMenu() const { return m_ghostMenu; }
    [[nodiscard]] NumberEdit* lowerEdit() const { return m_lowerEdit; }
    [[nodiscard]] NumberEdit* upperEdit() const { return m_upperEdit; }

signals:
    void groupChosen(int group);
    void lowerEntered(double value);
    void upperEntered(double value);
    void automaticRequested(qs::BoundMethod method);
    void countScaleChosen(qs::AxisScale scale);
    void valueScaleChosen(qs::AxisScale scale);
    void resetRequested(); ///< of the view

protected:
    void changeEvent(QEvent* event) override;

private:
    void describe();
    void arrange();
    void buildMethods();
    void restyle();

    QComboBox* m_groupBox;
    NumberEdit* m_lowerEdit;
    NumberEdit* m_upperEdit;
    QToolButton* m_auto;
    GhostMenu* m_ghostMenu;
    QToolButton* m_countLog;
    QToolButton* m_valueLog;
    QToolButton* m_reset;
    PlotLegend* m_legend;
    BoundMethod m_method = BoundMethod::MinMax;
};

} // namespace qs
