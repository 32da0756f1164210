#include "core/methods/trained_parameters.h"

#include <algorithm>

namespace qs {

TrainedParameters::TrainedParameters(std::vector<float> start, double rate)
    : values(std::move(start))
    , gradient(values.size(), 0.0F)
    , m_adam(values.size())
    , m_rate(rate)
{
}

void TrainedParameters::step(const TrainingSchedule& schedule, std::int64_t iteration)
{
    if (m_rate > 0.0) {
        m_adam.step(values, gradient, cosineRate(m_rate, iteration, schedule.iterations, schedule.warmUp));
    }
}

std::vector<float> TrainedParameters::state() const
{
    std::vector<float> result = values;
    result.insert(result.end(), m_adam.mean().begin(), m_adam.mean().end());
    result.insert(result.end(), m_adam.square().begin(), m_adam.square().end());
    return result;
}

bool TrainedParameters::restore(std::span<const float> state, std::int64_t iteration)
{
    const std::size_t size = values.size();
    if (state.size() != 3 * size) {
        return false;
    }
    std::ranges::copy(state.first(size), values.begin());
    m_adam.restore(state.subspan(size, size), state.last(size), m_rate > 0.0 ? iteration : 0);
    return true;
}

} // namespace qs
