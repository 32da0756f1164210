#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qs {

/// Adam (arXiv 1412.6980) with bias correction, beta = (0.9, 0.999), epsilon = 1e-8, over one array of
/// parameters.
class Adam
{
public:
    explicit Adam(std::size_t parameters);

    /// Moves the parameters against the gradient. Sizes as given to the constructor.
    void step(std::span<float> parameters, std::span<const float> gradient, double learningRate);

    /// Running means of the gradient and of its square, for a checkpoint.
    [[nodiscard]] std::span<const float> mean() const { return m_mean; }
    [[nodiscard]] std::span<const float> square() const { return m_square; }
    /// Goes on where another Adam was after `steps` steps. Sizes as given to the constructor.
    void restore(std::span<const float> mean, std::span<const float> square, std::int64_t steps);

private:
    std::vector<float> m_mean;
    std::vector<float> m_square;
    std::int64_t m_steps = 0;
};

/// Learning rate of a step out of `steps`: a linear start over the first `warmUp` of them (a fraction), times
/// half a cosine from `base` to 0 (methods.md 0.3).
[[nodiscard]] double cosineRate(double base, std::int64_t step, std::int64_t steps, double warmUp = 0.0);

} // namespace qs
