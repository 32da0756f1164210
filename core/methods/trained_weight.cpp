#include "core/methods/trained_weight.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

/// Half to even for |x| < 2^22, without a call per element.
float rounded(float x)
{
    constexpr float kShift = 12582912.0F; // 1.5 * 2^23
    return (x + kShift) - kShift;
}

} // namespace

TrainedWeight::TrainedWeight(int site, ValueId constant, QuantParams params, WeightLayout layout,
    std::vector<float> start, bool isCoded, Rates rates)
    : m_site(site)
    , m_constant(constant)
    , m_params(std::move(params))
    , m_layout(layout)
    , m_codes(std::move(start), rates.codes)
    , m_logSteps(std::vector<float>(m_params.scales.size(), 0.0F), rates.steps)
{
    for (std::size_t i = 0; i < m_codes.values.size() && !isCoded; ++i) {
        m_codes.values[i] /= m_params.scales[channel(i)];
    }
}

std::size_t TrainedWeight::run() const
{
    return m_layout.rowsAreChannels ? static_cast<std::size_t>(m_layout.width) : 1;
}

std::size_t TrainedWeight::channel(std::size_t element) const
{
    const auto width = static_cast<std::size_t>(m_layout.width);
    return m_params.index(static_cast<std::int64_t>(m_layout.rowsAreChannels
            ? element / width % static_cast<std::size_t>(m_layout.channels)
            : element % width));
}

float TrainedWeight::lowest(std::size_t channel) const
{
    return static_cast<float>(m_params.minimumCode() - m_params.zeroPoints[channel]);
}

float TrainedWeight::highest(std::size_t channel) const
{
    return static_cast<float>(m_params.maximumCode() - m_params.zeroPoints[channel]);
}

float TrainedWeight::stepOf(std::size_t channel) const
{
    return m_params.scales[channel] * std::exp(m_logSteps.values[channel]);
}

QuantParams TrainedWeight::quantizer() const
{
    QuantParams params = m_params;
    for (std::size_t c = 0; c < params.scales.size(); ++c) {
        params.scales[c] = stepOf(c);
        const auto step = static_cast<double>(params.scales[c]);
        params.bounds[c] = {static_cast<double>(lowest(c)) * step, static_cast<double>(highest(c)) * step};
    }
    return params;
}

void TrainedWeight::dequantize(float* out) const
{
    const std::size_t inner = run();
    for (std::size_t begin = 0; begin < m_codes.values.size(); begin += inner) {
        const std::size_t c = channel(begin);
        const float step = stepOf(c);
        const float low = lowest(c);
        const float high = highest(c);
        for (std::size_t i = begin; i < begin + inner; ++i) {
            out[i] = rounded(std::clamp(m_codes.values[i], low, high)) * step;
        }
    }
}

void TrainedWeight::step(
    std::span<const float> gradient, const TrainingSchedule& schedule, std::int64_t iteration)
{
    const std::size_t inner = run();
    std::ranges::fill(m_logSteps.gradient, 0.0F);
    for (std::size_t begin = 0; begin < m_codes.values.size(); begin += inner) {
        const std::size_t c = channel(begin);
        const float step = stepOf(c);
        const float low = lowest(c) - 0.5F;
        const float high = highest(c) + 0.5F;
        float sum = 0.0F;
        for (std::size_t i = begin; i < begin + inner; ++i) {
            const float v = m_codes.values[i];
            m_codes.gradient[i] = v >= low && v <= high ? gradient[i] * step : 0.0F;
            sum += gradient[i] * rounded(std::clamp(v, low + 0.5F, high - 0.5F)) * step;
        }
        m_logSteps.gradient[c] += sum;
    }
    m_codes.step(schedule, iteration);
    m_logSteps.step(schedule, iteration);
}

} // namespace qs
