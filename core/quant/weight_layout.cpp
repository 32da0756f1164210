#include "core/quant/weight_layout.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace qs {

std::int64_t WeightLayout::rowGrain() const
{
    constexpr std::int64_t kValues = 16384;
    return std::max<std::int64_t>(1, kValues / std::max<std::int64_t>(1, width));
}

WeightLayout layoutOfWeight(const Tensor& weight, int axis, std::size_t scaleCount)
{
    const Shape& shape = weight.shape();
    if (axis < 0 || static_cast<std::size_t>(axis) >= shape.rank()) {
        throw Error(ErrorCode::ShapeMismatch,
            "a weight of shape " + shape.text() + " has no output channels along axis "
                + std::to_string(axis));
    }
    if (weight.dtype() != DType::F32) {
        throw Error(ErrorCode::InvalidArgument,
            "a weight to quantize holds " + std::string(nameOf(weight.dtype())) + " values, not F32");
    }
    const auto position = static_cast<std::size_t>(axis);
    WeightLayout layout;
    layout.channels = shape[position];
    if (scaleCount != 1 && scaleCount != static_cast<std::size_t>(layout.channels)) {
        throw Error(ErrorCode::ShapeMismatch,
            std::to_string(scaleCount) + " scales do not fit the " + std::to_string(layout.channels)
                + " output channels of a weight of shape " + shape.text());
    }
    const std::int64_t outer = shape.product(0, position);
    const std::int64_t inner = shape.product(position + 1, shape.rank());
    layout.rowsAreChannels = inner > 1 || outer == 1;
    layout.rows = layout.rowsAreChannels ? outer * layout.channels : outer;
    layout.width = layout.rowsAreChannels ? inner : layout.channels;
    return layout;
}

std::vector<std::vector<float>> finiteChannelValues(
    const Tensor& weight, const WeightLayout& layout, std::int64_t first, std::int64_t last)
{
    const auto values = weight.data<float>();
    std::vector<std::vector<float>> channels(static_cast<std::size_t>(last - first));
    for (std::int64_t channel = first; channel < last && layout.rowsAreChannels; ++channel) {
        std::vector<float>& target = channels[static_cast<std::size_t>(channel - first)];
        for (std::int64_t row = channel; row < layout.rows; row += layout.channels) {
            const auto begin = values.begin() + row * layout.width;
            target.insert(target.end(), begin, begin + layout.width);
        }
    }
    for (std::int64_t row = 0; row < layout.rows && !layout.rowsAreChannels; ++row) {
        for (std::int64_t channel = first; channel < last; ++channel) {
            channels[static_cast<std::size_t>(channel - first)].push_back(
                values[static_cast<std::size_t>(row * layout.width + channel)]);
        }
    }
    for (std::vector<float>& channel : channels) {
        float differences = 0.0F; // x - x is 0 for finite x, else NaN
        for (const float value : channel) {
            differences += value - value;
        }
        if (differences != 0.0F) {
            std::erase_if(channel, [](float value) { return !std::isfinite(value); });
        }
    }
    return channels;
}

} // namespace qs
