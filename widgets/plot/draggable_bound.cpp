#include "widgets/plot/draggable_bound.h"

#include "widgets/plot/bound_item.h"

#include <qcustomplot.h>

#include <QKeyEvent>
#include <QMouseEvent>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace qs {

DraggableBound::DraggableBound(QCustomPlot* plot, Side side, const QString& layer)
    : QObject(plot)
    , m_plot(plot)
    , m_item(new BoundItem(
          plot, layer, side == Side::Lower ? BoundItem::LabelSide::Left : BoundItem::LabelSide::Right))
    , m_step([](double value, int steps) { return value + steps; })
    , m_side(side)
    , m_minimum(-std::numeric_limits<double>::infinity())
    , m_maximum(std::numeric_limits<double>::infinity())
{
    m_plot->installEventFilter(this);
}

void DraggableBound::setValue(double value)
{
    if (!isInGesture()) {
        moveTo(value);
    }
}

void DraggableBound::setLimits(double minimum, double maximum)
{
    m_minimum = minimum;
    m_maximum = std::max(minimum, maximum);
}

void DraggableBound::setStepFunction(StepFunction step)
{
    m_step = std::move(step);
}

void DraggableBound::show()
{
    m_shown = true;
    m_item->setVisible(true);
}

void DraggableBound::hide()
{
    lock();
    m_shown = false;
    m_item->setVisible(false);
}

void DraggableBound::lock()
{
    if (isInGesture()) {
        finish(EditPhase::Abort);
    }
    m_locked = true;
    setHovered(false);
    deactivate();
}

void DraggableBound::unlock()
{
    m_locked = false;
}

void DraggableBound::activate()
{
    m_active = m_shown && !m_locked;
    updateItem();
}

void DraggableBound::deactivate()
{
    m_active = false;
    updateItem();
}

double DraggableBound::distanceTo(const QPointF& pixel) const
{
    return std::abs(m_plot->xAxis->coordToPixel(m_value) - pixel.x());
}

bool DraggableBound::isNear(const QPointF& pixel) const
{
    if (!m_shown || m_locked || !(distanceTo(pixel) <= kGrabDistance)) {
        return false;
    }
    if (!m_rival || !m_rival->m_shown || m_rival->m_locked) {
        return true;
    }
    const double own = distanceTo(pixel);
    const double other = m_rival->distanceTo(pixel);
    if (own != other) {
        return own < other;
    }
    // On one spot: each is taken from its own side.
    const double line = m_plot->xAxis->coordToPixel(m_value);
    return (m_side == Side::Lower) == (pixel.x() < line);
}

double DraggableBound::snapped(double value) const
{
    const double pixel = m_plot->xAxis->coordToPixel(value);
    double nearest = value;
    double distance = kSnapDistance;
    for (const double point : m_snapPoints) {
        const double away = std::abs(m_plot->xAxis->coordToPixel(point) - pixel);
        if (away <= distance) {
            nearest = point;
            distance = away;
        }
    }
    return nearest;
}

void DraggableBound::applyPalette(const QPalette& palette)
{
    m_item->setPalette(palette);
}

bool DraggableBound::eventFilter(QObject* watched, QEvent* event)
{
    bool taken = false;
    switch (event->type()) {
    case QEvent::MouseButtonPress: taken = pressed(*static_cast<QMouseEvent*>(event)); break;
    case QEvent::MouseMove: taken = movedBy(*static_cast<QMouseEvent*>(event)); break;
    case QEvent::MouseButtonRelease: taken = released(); break;
    case QEvent::MouseButtonDblClick: {
        const auto& mouse = *static_cast<QMouseEvent*>(event);
        if (mouse.button() == Qt::LeftButton && isNear(mouse.position())) {
            emit automaticRequested();
            taken = true;
        }
        break;
    }
    case QEvent::Leave: setHovered(false); break;
    case QEvent::ShortcutOverride:
        if (isInGesture() && static_cast<QKeyEvent*>(event)->key() == Qt::Key_Escape) {
            event->accept();
            taken = true;
        }
        break;
    case QEvent::KeyPress: taken = keyPressed(*static_cast<QKeyEvent*>(event)); break;
    case QEvent::KeyRelease:
        if (m_gesture == Gesture::Keyboard && !static_cast<QKeyEvent*>(event)->isAutoRepeat()) {
            finish(EditPhase::End);
            taken = true;
        }
        break;
    case QEvent::FocusOut:
        if (m_gesture == Gesture::Keyboard) {
            finish(EditPhase::End);
        }
        break;
    default: break;
    }
    return taken || QObject::eventFilter(watched, event);
}

bool DraggableBound::pressed(const QMouseEvent& event)
{
    if (event.button() != Qt::LeftButton || isInGesture() || !isNear(event.position())) {
        return isInGesture(); // other buttons do not disturb a drag
    }
    m_plot->setFocus(Qt::MouseFocusReason);
    m_modifiers = event.modifiers();
    m_grabOffset = event.position().x() - m_plot->xAxis->coordToPixel(m_value);
    emit activated();
    begin(Gesture::Mouse);
    return true;
}

bool DraggableBound::movedBy(const QMouseEvent& event)
{
    if (m_gesture != Gesture::Mouse) {
        if (event.buttons() == Qt::NoButton) {
            setHovered(isNear(event.position()));
        }
        return false;
    }
    if (!event.buttons().testFlag(Qt::LeftButton)) { // the release went elsewhere
        finish(EditPhase::End);
        return false;
    }
    const bool otherModifiers = std::exchange(m_modifiers, event.modifiers()) != event.modifiers();
    const double wanted = m_plot->xAxis->pixelToCoord(event.position().x() - m_grabOffset);
    const double value = std::clamp(
        m_modifiers.testFlag(Qt::ControlModifier) ? wanted : snapped(wanted), m_minimum, m_maximum);
    if (value != m_value || otherModifiers) {
        moveTo(value);
        emit edited(m_value, EditPhase::Update);
    }
    return true;
}

bool DraggableBound::released()
{
    if (m_gesture != Gesture::Mouse) {
        return false;
    }
    finish(EditPhase::End);
    return true;
}

bool DraggableBound::keyPressed(const QKeyEvent& event)
{
    if (event.key() == Qt::Key_Escape && isInGesture()) {
        finish(EditPhase::Abort);
        return true;
    }
    if (!m_active || m_gesture == Gesture::Mouse) {
        return false;
    }
    const int factor = event.modifiers().testFlag(Qt::ShiftModifier) ? 10 : 1;
    int steps = 0;
    switch (event.key()) {
    case Qt::Key_Left:
    case Qt::Key_Down: steps = -factor; break;
    case Qt::Key_Right:
    case Qt::Key_Up: steps = factor; break;
    case Qt::Key_PageDown: steps = -100; break;
    case Qt::Key_PageUp: steps = 100; break;
    case Qt::Key_Return:
    case Qt::Key_Enter: emit automaticRequested(); return true;
    default: return false;
    }
    if (!isInGesture()) {
        m_modifiers = {};
        begin(Gesture::Keyboard);
    }
    const double value = std::clamp(m_step(m_value, steps), m_minimum, m_maximum);
    if (value != m_value) {
        moveTo(value);
        emit edited(m_value, EditPhase::Update);
    }
    return true;
}

void DraggableBound::begin(Gesture gesture)
{
    m_gesture = gesture;
    m_valueAtBegin = m_value;
    updateItem();
    emit edited(m_value, EditPhase::Begin);
}

void DraggableBound::finish(EditPhase phase)
{
    m_gesture = Gesture::None;
    if (phase == EditPhase::Abort) {
        moveTo(m_valueAtBegin);
    }
    updateItem();
    emit edited(m_value, phase);
}

void DraggableBound::moveTo(double value)
{
    m_value = value;
    m_item->setValue(value);
    emit moved();
}

void DraggableBound::setHovered(bool hovered)
{
    if (hovered == m_hovered) {
        return;
    }
    m_hovered = hovered;
    if (hovered) {
        m_plot->setCursor(Qt::SizeHorCursor);
    } else if (!m_rival || !m_rival->m_hovered) {
        m_plot->unsetCursor();
    }
    updateItem();
}

void DraggableBound::updateItem()
{
    m_item->setEmphasis(m_active && m_plot->hasFocus() ? BoundItem::Emphasis::Active
            : m_hovered || isInGesture()               ? BoundItem::Emphasis::Hovered
                                                       : BoundItem::Emphasis::Normal);
    emit moved();
}

} // namespace qs
