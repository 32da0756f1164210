#include "core/quant/error_cause.h"

#include "core/base/parallel.h"
#include "core/quant/ada_log.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace qs {

bool isClipped(float value, const QuantParams& params, std::size_t index)
{
    const float scale = params.scales[index];
    if (params.kind != QuantizerKind::Uniform) {
        return static_cast<double>(value)
            > static_cast<double>(scale) * std::exp2(0.5 / codesPerOctave(params, index));
    }
    const double code = std::nearbyint(static_cast<double>(value / scale)) + params.zeroPoint(index);
    return code < params.minimumCode() || code > params.maximumCode();
}

CauseQuantizer::CauseQuantizer(QuantParams params, ErrorCause cause)
    : m_quantizer(std::move(params))
    , m_cause(cause)
{
}

void CauseQuantizer::transformRow(std::int64_t head, std::span<const float> in, float* out) const
{
    thread_local std::vector<float> quantized;
    quantized.resize(in.size());
    m_quantizer.transformRow(head, in, quantized.data());
    const QuantParams& params = m_quantizer.params();
    const bool perElement = params.scales.size() > 1 && params.axis == GroupAxis::Channel;
    const std::size_t index = perElement ? 0 : params.index(head);
    bool any = false;
    for (std::size_t i = 0; i < in.size(); ++i) {
        const bool clipped = isClipped(in[i], params, perElement ? i : index);
        any = any || clipped;
        const bool keeps = m_cause != ErrorCause::Both && clipped != (m_cause == ErrorCause::Clipping);
        out[i] = keeps ? in[i] : quantized[i];
    }
    if (any) {
        m_clipped.store(true);
    }
}

Tensor causedWeight(const Tensor& weight, const QuantParams& params, int axis, ErrorCause cause)
{
    Tensor result = fakeQuantizedWeight(weight, params, axis);
    if (cause == ErrorCause::Both) {
        return result;
    }
    const auto at = static_cast<std::size_t>(axis);
    const Shape& shape = weight.shape();
    const std::int64_t channels = shape[at];
    const std::int64_t inner = shape.product(at + 1, shape.rank());
    const std::span<const float> from = weight.data<float>();
    const std::span<float> to = result.mutableData<float>();
    parallelFor(shape.product(0, at) * channels, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const std::size_t index = params.index(row % channels);
            for (auto i = static_cast<std::size_t>(row * inner);
                 i < static_cast<std::size_t>((row + 1) * inner); ++i) {
                if (isClipped(from[i], params, index) != (cause == ErrorCause::Clipping)) {
                    to[i] = from[i];
                }
            }
        }
    });
    return result;
}

} // namespace qs
