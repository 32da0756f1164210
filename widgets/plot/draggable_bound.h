#pragma once

#include "widgets/common/edit_phase.h"

#include <QObject>
#include <QString>

#include <functional>
#include <vector>

class QKeyEvent;
class QMouseEvent;
class QPalette;
class QPointF;
class QCustomPlot;

namespace qs {

class BoundItem;

/// One vertical line with a value label on a plot, moved by mouse or keyboard. Knows nothing of histograms.
/// Values are coordinates of the plot's x axis. Draws on the layer given, which should be buffered: a drag
/// replots it alone. Every gesture is Begin (old value), Update..., and End or Abort (old value again). A
/// drag clicks into the snap points; Ctrl passes them by.
class DraggableBound : public QObject
{
    Q_OBJECT
public:
    static constexpr int kGrabDistance = 6; ///< device-independent pixels on either side of the line
    static constexpr int kSnapDistance = 5; ///< device-independent pixels on either side of a snap point

    enum class Side { Lower, Upper };
    /// Value after `steps` keyboard steps from `value`.
    using StepFunction = std::function<double(double value, int steps)>;

    DraggableBound(QCustomPlot* plot, Side side, const QString& layer);

    [[nodiscard]] double value() const { return m_value; }
    /// Moves the line silently; ignored during a gesture, when the user's hand wins over late results.
    void setValue(double value);
    /// Limits of gestures; minimum <= maximum.
    void setLimits(double minimum, double maximum);
    void setStepFunction(StepFunction step);
    void setSnapPoints(std::vector<double> values) { m_snapPoints = std::move(values); }
    /// Held at the latest event of a mouse gesture; none during a keyboard gesture, where Shift means ten
    /// steps.
    [[nodiscard]] Qt::KeyboardModifiers modifiers() const { return m_modifiers; }
    /// Where two bounds are equally near the nearer one takes the press.
    void setRival(const DraggableBound* rival) { m_rival = rival; }

    void show();
    void hide(); ///< ends a gesture with Abort
    [[nodiscard]] bool isShown() const { return m_shown; }
    void lock(); ///< shown, but not for the hand
    void unlock();
    /// The active bound takes the keys of the plot.
    void activate();
    void deactivate();
    [[nodiscard]] bool isActive() const { return m_active; }
    [[nodiscard]] bool isInGesture() const { return m_gesture != Gesture::None; }
    [[nodiscard]] bool isNear(const QPointF& pixel) const;
    void applyPalette(const QPalette& palette);

signals:
    void edited(double value, qs::EditPhase phase);
    void activated(); ///< by a press
    void automaticRequested(); ///< double click on the line
    void moved(); ///< the line needs drawing: by setter or gesture

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    enum class Gesture { None, Mouse, Keyboard };

    bool pressed(const QMouseEvent& event);
    bool movedBy(const QMouseEvent& event);
    bool released();
    bool keyPressed(const QKeyEvent& event);
    void begin(Gesture gesture);
    void finish(EditPhase phase);
    void moveTo(double value);
    void setHovered(bool hovered);
    void updateItem();
    [[nodiscard]] double distanceTo(const QPointF& pixel) const;
    [[nodiscard]] double snapped(double value) const;

    QCustomPlot* m_plot;
    BoundItem* m_item; // owned by the plot
    const DraggableBound* m_rival = nullptr;
    StepFunction m_step;
    std::vector<double> m_snapPoints;
    Qt::KeyboardModifiers m_modifiers;
    Side m_side;
    double m_value = 0.0;
    double m_valueAtBegin = 0.0;
    double m_grabOffset = 0.0; ///< pixels from line to press
    double m_minimum;
    double m_maximum;
    Gesture m_gesture = Gesture::None;
    bool m_shown = true;
    bool m_locked = false;
    bool m_active = false;
    bool m_hovered = false;
};

} // namespace qs
