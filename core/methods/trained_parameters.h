#pragma once

#include "core/gradient/adam.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qs {

/// When the learning rate of a training rises and falls.
struct TrainingSchedule
{
    std::int64_t iterations = 0;
    double warmUp = 0.0; ///< fraction of the iterations
};

/// One array of trained numbers with its gradient and the state of its optimiser.
class TrainedParameters
{
public:
    TrainedParameters(std::vector<float> start, double rate);

    /// One step of Adam against `gradient`.
    void step(const TrainingSchedule& schedule, std::int64_t iteration);
    /// Values, then Adam's state: what restore() of an array of the same size takes.
    [[nodiscard]] std::vector<float> state() const;
    /// False, and nothing changed, when the size does not fit.
    [[nodiscard]] bool restore(std::span<const float> state, std::int64_t iteration);

    std::vector<float> values;
    std::vector<float> gradient; ///< same size

private:
    Adam m_adam;
    double m_rate;
};

} // namespace qs
