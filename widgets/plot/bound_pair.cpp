#include "widgets/plot/bound_pair.h"

#include "widgets/plot/draggable_bound.h"

#include <qcustomplot.h>

#include <algorithm>
#include <utility>

using namespace Qt::StringLiterals;

namespace qs {

BoundPair::BoundPair(QCustomPlot* plot, const QString& layer)
    : QObject(plot)
    , m_lower(new DraggableBound(plot, DraggableBound::Side::Lower, layer))
    , m_upper(new DraggableBound(plot, DraggableBound::Side::Upper, layer))
{
    m_lower->setRival(m_upper);
    m_upper->setRival(m_lower);
    m_lower->setObjectName(u"lowerBound"_s);
    m_upper->setObjectName(u"upperBound"_s);
    for (auto [bound, other] : {std::pair(m_lower, m_upper), std::pair(m_upper, m_lower)}) {
        bound->hide();
        connect(bound, &DraggableBound::moved, this, &BoundPair::moved);
        connect(bound, &DraggableBound::automaticRequested, this, &BoundPair::automaticRequested);
        connect(bound, &DraggableBound::activated, this, [bound = bound, other = other] {
            other->deactivate();
            bound->activate();
        });
        connect(bound, &DraggableBound::edited, this,
            [this, bound = bound, other = other](
                double, EditPhase phase) { onEdited(*bound, *other, phase); });
    }
}

void BoundPair::setValues(const Bounds& bounds)
{
    m_lower->setValue(bounds.lower);
    m_upper->setValue(bounds.upper);
}

Bounds BoundPair::values() const
{
    return {m_lower->value(), m_upper->value()};
}

void BoundPair::show(DraggableSides sides, bool shown)
{
    m_sides = sides;
    m_shown = shown;
    const auto apply = [sides](DraggableBound& bound, bool visible) {
        if (!visible) {
            bound.hide();
            return;
        }
        bound.show();
        if (sides == DraggableSides::None) {
            bound.lock();
        } else {
            bound.unlock();
        }
    };
    apply(*m_lower, shown && sides != DraggableSides::Upper);
    apply(*m_upper, shown);
}

void BoundPair::setLimits(double gap, double floor)
{
    if (isInGesture()) {
        return; // the moving bound has its limits since Begin
    }
    constexpr double kFar = 1e30;
    m_lower->setLimits(-kFar, std::max(m_upper->value() - gap, m_lower->value()));
    const double least = m_sides == DraggableSides::Upper ? floor : m_lower->value() + gap;
    m_upper->setLimits(std::min(least, m_upper->value()), kFar);
}

void BoundPair::setSnapPoints(std::vector<double> values)
{
    m_lower->setSnapPoints(values);
    m_upper->setSnapPoints(std::move(values));
}

void BoundPair::setStepFunction(const std::function<double(double value, int steps)>& step)
{
    m_lower->setStepFunction(step);
    m_upper->setStepFunction(step);
}

void BoundPair::applyPalette(const QPalette& palette)
{
    m_lower->applyPalette(palette);
    m_upper->applyPalette(palette);
}

bool BoundPair::isInGesture() const
{
    return m_lower->isInGesture() || m_upper->isInGesture();
}

void BoundPair::enter(bool forward)
{
    if (m_shown) {
        (forward && m_lower->isShown() ? m_lower : m_upper)->activate();
    }
}

void BoundPair::leave()
{
    m_lower->deactivate();
    m_upper->deactivate();
}

bool BoundPair::moveOn(bool forward)
{
    if (m_sides != DraggableSides::Both || !m_shown) {
        return false;
    }
    DraggableBound* from = forward ? m_lower : m_upper;
    DraggableBound* to = forward ? m_upper : m_lower;
    if (forward && !to->isActive() && !from->isActive()) {
        from->activate(); // the plot came into focus by other means than the Tab key
        return true;
    }
    if (!from->isActive() || isInGesture()) {
        return false;
    }
    from->deactivate();
    to->activate();
    return true;
}

void BoundPair::onEdited(DraggableBound& bound, DraggableBound& other, EditPhase phase)
{
    m_modifiers = bound.modifiers();
    if (m_sides == DraggableSides::Both) {
        mirror(bound, other, phase);
    }
    emit edited(phase);
}

void BoundPair::mirror(const DraggableBound& bound, DraggableBound& other, EditPhase phase)
{
    switch (phase) {
    case EditPhase::Begin: m_otherAtBegin = other.value(); break;
    case EditPhase::Update: {
        const bool onItsSide = &bound == m_upper ? bound.value() > 0.0 : bound.value() < 0.0;
        const bool symmetric = bound.modifiers().testFlag(Qt::ShiftModifier) && onItsSide;
        other.setValue(symmetric ? -bound.value() : m_otherAtBegin);
        break;
    }
    case EditPhase::End: break;
    case EditPhase::Abort: other.setValue(m_otherAtBegin); break;
    }
}

} // namespace qs
