#include "core/quant/weight_error.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/quant/error_cause.h"

#include <vector>

namespace qs {

QuantizationError weightQuantizationError(const Tensor& weight, const QuantParams& params, int axis)
{
    const Shape& shape = weight.shape();
    if (axis < 0 || static_cast<std::size_t>(axis) >= shape.rank()) {
        throw Error(ErrorCode::ShapeMismatch,
            "a weight of shape " + shape.text() + " has no output channels along axis "
                + std::to_string(axis));
    }
    const std::int64_t channels = shape[static_cast<std::size_t>(axis)];
    if (params.scales.size() != 1 && params.scales.size() != static_cast<std::size_t>(channels)) {
        throw Error(ErrorCode::ShapeMismatch,
            std::to_string(params.scales.size()) + " scales do not fit a weight of shape " + shape.text());
    }
    const std::int64_t outer = shape.product(0, static_cast<std::size_t>(axis));
    const std::int64_t inner = shape.product(static_cast<std::size_t>(axis) + 1, shape.rank());
    const Tensor quantized = fakeQuantizedWeight(weight, params, axis);
    const auto x = weight.data<float>();
    const auto y = quantized.data<float>();
    std::vector<QuantizationError> parts(static_cast<std::size_t>(channels));
    parallelFor(channels, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t channel = begin; channel < end; ++channel) {
            QuantizationError& part = parts[static_cast<std::size_t>(channel)];
            const std::size_t index = params.index(channel);
            for (std::int64_t o = 0; o < outer; ++o) {
                const auto base = static_cast<std::size_t>((o * channels + channel) * inner);
                for (std::size_t i = base; i < base + static_cast<std::size_t>(inner); ++i) {
                    const double difference = static_cast<double>(x[i]) - static_cast<double>(y[i]);
                    const bool clipped = isClipped(x[i], params, index);
                    (clipped ? part.clipping : part.rounding) += difference * difference;
                    part.clipped += clipped ? 1 : 0;
                    part.signal += static_cast<double>(x[i]) * static_cast<double>(x[i]);
                    ++part.count;
                }
            }
        }
    });
    QuantizationError total;
    for (const QuantizationError& part : parts) {
        total += part;
    }
    return total;
}

} // namespace qs
