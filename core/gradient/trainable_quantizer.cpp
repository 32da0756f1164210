#include "core/gradient/trainable_quantizer.h"

#include "core/base/error.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace qs {

namespace {

constexpr std::size_t kLanes = 8; // partial sums, added in order: the same bits wherever it runs

} // namespace

struct TrainableQuantizer::Sums
{
    std::array<float, kLanes> scale {}; ///< dL/d log step
    std::array<float, kLanes> zero {};

    static double total(const std::array<float, kLanes>& lanes)
    {
        double sum = 0.0;
        for (const float lane : lanes) {
            sum += static_cast<double>(lane);
        }
        return sum;
    }
};

TrainableQuantizer::TrainableQuantizer(QuantParams params)
    : m_initial(std::move(params))
    , m_quantizer(std::make_shared<const FakeQuantizer>(m_initial))
{
    if (m_initial.scales.size() > 1 && m_initial.axis == GroupAxis::Channel) {
        throw Error(
            ErrorCode::Unsupported, "a quantizer with one scale per channel cannot be trained in place");
    }
    m_parameters.assign(m_initial.scales.size(), 0.0F);
    if (m_initial.kind == QuantizerKind::Uniform && m_initial.symmetry == Symmetry::Asymmetric) {
        for (const std::int32_t zero : m_initial.zeroPoints) {
            m_parameters.push_back(static_cast<float>(zero));
        }
    }
}

void TrainableQuantizer::setParameters(std::span<const float> parameters)
{
    std::ranges::copy(parameters, m_parameters.begin());
    QuantParams params = m_initial;
    const std::size_t count = groups();
    const float span = static_cast<float>(params.maximumCode()) + 1.0F;
    for (std::size_t i = 0; i < count; ++i) {
        params.scales[i] = std::max(m_initial.scales[i] * std::exp(m_parameters[i]), 1e-20F);
        if (m_parameters.size() > count) {
            m_parameters[count + i] = std::clamp(m_parameters[count + i], -span, 2.0F * span);
            params.zeroPoints[i] = static_cast<std::int32_t>(std::nearbyint(m_parameters[count + i]));
        }
        const auto scale = static_cast<double>(params.scales[i]);
        params.bounds[i] = params.kind == QuantizerKind::Uniform
            ? Bounds {(params.minimumCode() - params.zeroPoints[i]) * scale,
                (params.maximumCode() - params.zeroPoints[i]) * scale}
            : Bounds {0.0, scale};
    }
    m_quantizer = std::make_shared<const FakeQuantizer>(std::move(params));
}

void TrainableQuantizer::uniformRow(
    std::size_t group, std::span<const float> x, const float* g, float* dx, Sums& sums) const
{
    const QuantParams& p = params();
    const float step = p.scales[group];
    const auto lowest = static_cast<float>(p.minimumCode() - p.zeroPoints[group]);
    const auto highest = static_cast<float>(p.maximumCode() - p.zeroPoints[group]);
    for (std::size_t i = 0; i < x.size(); ++i) {
        const float v = x[i] / step;
        const float r = std::nearbyint(v);
        const bool inside = r >= lowest && r <= highest;
        const float slope = inside ? r - v : (r < lowest ? lowest : highest);
        dx[i] = inside ? g[i] : 0.0F;
        sums.scale[i % kLanes] += g[i] * slope;
        sums.zero[i % kLanes] += inside ? 0.0F : -g[i];
    }
}

void TrainableQuantizer::logarithmicRow(
    std::size_t group, std::span<const float> x, const float* y, const float* g, float* dx, Sums& sums) const
{
    const QuantParams& p = params();
    const float top = p.scales[group];
    const float above = top * (p.kind == QuantizerKind::Log2 ? std::exp2(0.5F) : std::exp2(0.25F)); // q < 0
    for (std::size_t i = 0; i < x.size(); ++i) {
        const bool clipped = x[i] > above;
        dx[i] = clipped || y[i] == 0.0F ? 0.0F : g[i] * (y[i] / x[i]);
        sums.scale[i % kLanes] += clipped ? g[i] : 0.0F;
    }
}

void TrainableQuantizer::backward(
    const ActivationView& x, const float* y, const float* g, float* dx, std::span<double> gradient) const
{
    const QuantParams& p = params();
    const auto width = static_cast<std::size_t>(x.width);
    std::int64_t at = 0;
    for (std::int64_t sample = 0; sample < x.batch; ++sample) {
        for (std::int64_t head = 0; head < x.heads; ++head) {
            const std::size_t group = p.index(head);
            const auto step = static_cast<double>(p.scales[group]);
            for (std::int64_t row = 0; row < x.rows; ++row, at += x.width) {
                Sums sums;
                const std::span<const float> in {x.row(sample, head, row), width};
                if (p.kind == QuantizerKind::Uniform) {
                    uniformRow(group, in, g + at, dx + at, sums);
                } else {
                    logarithmicRow(group, in, y + at, g + at, dx + at, sums);
                }
                gradient[group] += step * Sums::total(sums.scale);
                if (m_parameters.size() > groups()) {
                    gradient[groups() + group] += step * Sums::total(sums.zero);
                }
            }
        }
    }
}

} // namespace qs
