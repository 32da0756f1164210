#pragma once

#include "core/quant/quantizer.h"
#include "widgets/common/edit_phase.h"

#include <QObject>

#include <functional>
#include <vector>

class QCustomPlot;

namespace qs {

class DraggableBound;

/// Which bounds the user may take.
enum class DraggableSides { None, Upper, Both };

/// Lower and upper bound of a plot as one thing: they cannot cross, Shift drags them symmetric about zero,
/// and Tab goes from one to the other.
class BoundPair : public QObject
{
    Q_OBJECT
public:
    /// Draws on a layer of the plot, which owns this.
    BoundPair(QCustomPlot* plot, const QString& layer);

    /// A bound in the user's hand stays where it is.
    void setValues(const Bounds& bounds);
    [[nodiscard]] Bounds values() const;
    /// Hides both, or shows those that the sides say.
    void show(DraggableSides sides, bool shown);
    [[nodiscard]] DraggableSides sides() const { return m_sides; }
    /// The bounds stay this far apart; where only the upper one is draggable it stays above `floor`.
    void setLimits(double gap, double floor);
    void setSnapPoints(std::vector<double> values);
    void setStepFunction(const std::function<double(double value, int steps)>& step);
    void applyPalette(const QPalette& palette);

    [[nodiscard]] bool isInGesture() const;
    /// Held at the latest event of the present or last mouse gesture.
    [[nodiscard]] Qt::KeyboardModifiers modifiers() const { return m_modifiers; }
    /// The plot came into focus by Tab: forward to the lower bound, else to the upper one.
    void enter(bool forward);
    void leave();
    /// Tab within the pair; false: it goes on to the next widget.
    bool moveOn(bool forward);

signals:
    void edited(qs::EditPhase phase);
    void moved(); ///< a line needs drawing
    void automaticRequested();

private:
    void onEdited(DraggableBound& bound, DraggableBound& other, EditPhase phase);
    void mirror(const DraggableBound& bound, DraggableBound& other, EditPhase phase);

    DraggableBound* m_lower;
    DraggableBound* m_upper;
    DraggableSides m_sides = DraggableSides::Both;
    bool m_shown = false;
    double m_otherAtBegin = 0.0; ///< the bound that is not in the hand, when the gesture began
    Qt::KeyboardModifiers m_modifiers;
};

} // namespace qs
