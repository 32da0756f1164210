#pragma once

#include "core/quant/quantizer.h"
#include "core/stats/histogram.h"
#include "widgets/common/edit_phase.h"
#include "widgets/plot/bound_pair.h"
#include "widgets/plot/ghost_quantizer.h"
#include "widgets/plot/histogram_axis.h"
#include "widgets/plot/percentile_mark.h"
#include "widgets/plot/plot_widget.h"

#include <memory>
#include <optional>
#include <vector>

class QCPAxisRect;
class QCPLayer;
class QStackedLayout;

namespace qs {

class EmptyLabel;
class ErrorDensityItem;
class GhostItem;
class HistogramItem;
class HoverItem;
class LevelsItem;

/// Values below `value` become zero.
struct ZeroingCutoff
{
    double value = 0.0; ///< tensor units, > 0
    double massShare = 0.0; ///< share in [0, 1] of the sum of values that is lost
};

/// Histogram with two draggable bounds, the quantizer's levels, and below it the squared error per bin,
/// clipping and rounding apart. Wheel zooms, dragging empty space pans, double click on empty space or R
/// resets, double click on a bound asks for an automatic one. Keys: Tab changes the bound, arrows move it by
/// one bin (Shift: ten; Page: a hundred), Escape takes a gesture back. While dragging, Shift keeps the bounds
/// symmetric about zero and Ctrl passes the percentile marks by, into which a bound clicks otherwise.
class DistributionPlot : public PlotWidget
{
    Q_OBJECT
public:
    explicit DistributionPlot(QWidget* parent = nullptr);
    ~DistributionPlot() override;

    /// Null shows the empty state. The view is reset when the range of values or the bin scale changes.
    void setHistogram(std::shared_ptr<const Histogram> histogram, double valueMinimum, double valueMaximum);
    [[nodiscard]] const std::shared_ptr<const Histogram>& histogram() const { return m_histogram; }
    /// Smallest and largest value, as given with the histogram.
    [[nodiscard]] Bounds valueRange() const { return {m_valueMinimum, m_valueMaximum}; }
    /// nullopt hides both lines. A bound in the user's hand stays where it is.
    void setBounds(const std::optional<Bounds>& bounds);
    [[nodiscard]] Bounds bounds() const;
    void setDraggableSides(DraggableSides sides);
    /// Ascending, in tensor units.
    void setLevels(std::vector<double> levels);
    /// Squared error per bin of the histogram; empty vectors: none.
    void setErrorDensity(std::vector<double> clipping, std::vector<double> rounding);
    /// A sentence in place of the error density, where there is none.
    void setErrorNote(const QString& note);
    [[nodiscard]] const QString& errorNote() const;
    void setZeroingCutoff(const std::optional<ZeroingCutoff>& cutoff);
    /// Small marks above the values, which a dragged bound clicks into.
    void setPercentileMarks(std::vector<PercentileMark> marks);
    /// Other quantizers for the same values, drawn as rails above the counts; at most kGhostLimit.
    void setGhosts(std::vector<GhostRail> ghosts);
    /// Shown in place of the plot while there is no histogram.
    void setEmptyText(const QString& text);
    /// Axis captions.
    void setValueLabel(const QString& text);
    [[nodiscard]] QString csv() const; ///< histogramCsv() of what is shown; empty without a histogram
    [[nodiscard]] QString hoverText() const; ///< of the read-out under the mouse, for tests

    void setCountScale(AxisScale scale);
    [[nodiscard]] AxisScale countScale() const { return m_countScale; }
    /// Log is taken back to Linear where the values are not all >= 0; the default follows the bin scale.
    void setValueScale(AxisScale scale);
    [[nodiscard]] AxisScale valueScale() const { return m_valueScale; }
    [[nodiscard]] bool canUseLogValues() const;
    void resetView();

    [[nodiscard]] bool isInGesture() const;
    /// Held at the latest event of the present or last mouse gesture.
    [[nodiscard]] Qt::KeyboardModifiers gestureModifiers() const;
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

signals:
    /// Begin carries the bounds before the gesture, Abort the same again.
    void boundsEdited(const qs::Bounds& bounds, qs::EditPhase phase);
    void automaticRequested();

protected:
    void applyStyle(const PlotStyle& style) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void buildRects();
    void buildLayers();
    void buildBounds();
    void applyValueScale();
    void applyCountRange();
    void updateLimits();
    void updateAccessibleText();
    void scheduleLiveReplot(); ///< bounds, levels and error density; not the histogram
    void replotAll();
    void constrainRange();
    void zoomKeys(double factor);
    void showHover(const QPointF& pixel);
    void clearHover();
    bool handleKey(int key, Qt::KeyboardModifiers modifiers);
    [[nodiscard]] double stepped(double value, int steps) const;
    [[nodiscard]] HistogramAxis axis() const; ///< of the values

    EmptyLabel* m_empty;
    QStackedLayout* m_stack;
    QCPAxisRect* m_countRect = nullptr;
    QCPAxisRect* m_errorRect = nullptr;
    QCPLayer* m_liveLayer = nullptr;
    QCPLayer* m_hoverLayer = nullptr;
    HistogramItem* m_histogramItem = nullptr;
    ErrorDensityItem* m_errorItem = nullptr;
    LevelsItem* m_levelsItem = nullptr;
    HoverItem* m_hoverItem = nullptr;
    GhostItem* m_ghostItem = nullptr;
    BoundPair* m_bounds = nullptr;
    std::shared_ptr<const Histogram> m_histogram;
    double m_valueMinimum = 0.0;
    double m_valueMaximum = 1.0;
    AxisScale m_countScale = AxisScale::Log;
    AxisScale m_valueScale = AxisScale::Linear;
    bool m_boundsKnown = false;
    bool m_liveScheduled = false;
    bool m_constraining = false;
};

} // namespace qs
