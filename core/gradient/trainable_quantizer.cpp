#include "core/gradient/trainable_quantizer.h"

#include "core/base/error.h"
#include "core/gradient/quantizer_gradients.h"
#include "core/quant/ada_log.h"

#include <algorithm>
#include <cmath>

namespace qs {

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
        if (params.kind == QuantizerKind::AdaLog) {
            params.bounds[i] = adaLogBounds(scale, adaLogBase(m_initial.bounds[i]));
            continue;
        }
        params.bounds[i] = params.kind == QuantizerKind::Uniform
            ? Bounds {(params.minimumCode() - params.zeroPoints[i]) * scale,
                (params.maximumCode() - params.zeroPoints[i]) * scale}
            : Bounds {0.0, scale};
    }
    m_quantizer = std::make_shared<const FakeQuantizer>(std::move(params));
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
            const UniformRow uniform {p.scales[group],
                static_cast<float>(p.minimumCode() - p.zeroPoints[group]),
                static_cast<float>(p.maximumCode() - p.zeroPoints[group])};
            const auto above = static_cast<float>( // half a code above code 0
                step * std::exp2(0.5 / codesPerOctave(p, group)));
            for (std::int64_t row = 0; row < x.rows; ++row, at += x.width) {
                LaneSums scale;
                LaneSums zero;
                const float* in = x.row(sample, head, row);
                if (p.kind == QuantizerKind::Uniform) {
                    uniformRowGradient(uniform, in, g + at, dx + at, width, scale, zero);
                } else {
                    logarithmicRowGradient(above, in, y + at, g + at, dx + at, width, scale);
                }
                gradient[group] += step * scale.total();
                if (m_parameters.size() > groups()) {
                    gradient[groups() + group] += step * zero.total();
                }
            }
        }
    }
}

} // namespace qs
