#include "core/gradient/adam.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qs {

namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr float kEpsilon = 1e-8F;

} // namespace

Adam::Adam(std::size_t parameters)
    : m_mean(parameters, 0.0F)
    , m_square(parameters, 0.0F)
{
}

void Adam::step(std::span<float> parameters, std::span<const float> gradient, double learningRate)
{
    ++m_steps;
    const auto steps = static_cast<double>(m_steps);
    const auto rate = static_cast<float>(learningRate / (1.0 - std::pow(kBeta1, steps)));
    const auto correction = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(kBeta2, steps)));
    constexpr auto kKeep1 = static_cast<float>(kBeta1);
    constexpr auto kKeep2 = static_cast<float>(kBeta2);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const float g = gradient[i];
        m_mean[i] = kKeep1 * m_mean[i] + (1.0F - kKeep1) * g;
        m_square[i] = kKeep2 * m_square[i] + (1.0F - kKeep2) * g * g;
        parameters[i] -= rate * m_mean[i] / (std::sqrt(m_square[i]) * correction + kEpsilon);
    }
}

void Adam::restore(std::span<const float> mean, std::span<const float> square, std::int64_t steps)
{
    std::ranges::copy(mean, m_mean.begin());
    std::ranges::copy(square, m_square.begin());
    m_steps = steps;
}

double cosineRate(double base, std::int64_t step, std::int64_t steps, double warmUp)
{
    const double done = static_cast<double>(step) / static_cast<double>(steps);
    const double start
        = std::min(1.0, static_cast<double>(step + 1) / std::max(1.0, warmUp * static_cast<double>(steps)));
    return base * start * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
}

} // namespace qs
