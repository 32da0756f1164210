#include "core/runtime/window.h"

#include <algorithm>
#include <string>

namespace qs {

namespace {

constexpr std::int64_t kLargest = std::int64_t {1} << 31; // of an attribute: no sum below overflows

/// Attribute lists have one entry per spatial dimension; those of missing ones keep their default.
void fill(
    const KernelCall& call, const char* name, const Dims& values, std::size_t spatial, Window::Sizes& target)
{
    if (values.empty()) {
        return;
    }
    if (values.size() != spatial) {
        call.fail(ErrorCode::InvalidArgument,
            std::string(name) + " has " + std::to_string(values.size()) + " entries");
    }
    for (std::size_t i = 0; i < spatial; ++i) {
        if (values[i] < 1 || values[i] > kLargest) {
            call.fail(ErrorCode::InvalidArgument, std::string(name) + " of " + std::to_string(values[i]));
        }
        target[Window::kSpatial - spatial + i] = values[i];
    }
}

std::int64_t reach(const Window& window, std::size_t d)
{
    return (window.kernel[d] - 1) * window.dilation[d] + 1;
}

void fillPads(const KernelCall& call, Window& window)
{
    const std::string automatic = call.node.stringAttribute("auto_pad", "NOTSET");
    const Dims pads = call.node.intsAttribute("pads");
    const std::size_t spatial = window.spatial;
    for (std::size_t i = 0; i < spatial; ++i) {
        const std::size_t d = Window::kSpatial - spatial + i;
        if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
            const std::int64_t steps = (window.size[d] + window.stride[d] - 1) / window.stride[d];
            const std::int64_t total = std::max<std::int64_t>(
                0, (steps - 1) * window.stride[d] + reach(window, d) - window.size[d]);
            window.padBegin[d] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
            window.padEnd[d] = total - window.padBegin[d];
        } else if (automatic == "NOTSET" && pads.size() == 2 * spatial) {
            window.padBegin[d] = pads[i];
            window.padEnd[d] = pads[spatial + i];
        } else if (automatic != "NOTSET" && automatic != "VALID") {
            call.fail(ErrorCode::Unsupported, "auto_pad = '" + automatic + "'");
        } else if (automatic == "NOTSET" && !pads.empty()) {
            call.fail(ErrorCode::InvalidArgument, "pads has " + std::to_string(pads.size()) + " entries");
        }
        if (std::min(window.padBegin[d], window.padEnd[d]) < 0
            || std::max(window.padBegin[d], window.padEnd[d]) > kLargest) {
            call.fail(ErrorCode::Unsupported,
                "pads of " + std::to_string(window.padBegin[d]) + " and " + std::to_string(window.padEnd[d]));
        }
    }
}

} // namespace

Window windowOf(const KernelCall& call, const Array& x, const Dims& kernel)
{
    if (x.rank() < 3 || x.rank() > 2 + Window::kSpatial) {
        call.fail(ErrorCode::Unsupported, "input " + x.shapeText());
    }
    Window window;
    window.spatial = x.rank() - 2;
    std::copy(x.dims.begin() + 2, x.dims.end(),
        window.size.begin() + static_cast<std::ptrdiff_t>(Window::kSpatial - window.spatial));
    if (kernel.empty()) {
        call.fail(ErrorCode::InvalidArgument, "no kernel size");
    }
    fill(call, "kernel_shape", kernel, window.spatial, window.kernel);
    fill(call, "strides", call.node.intsAttribute("strides"), window.spatial, window.stride);
    fill(call, "dilations", call.node.intsAttribute("dilations"), window.spatial, window.dilation);
    if (std::ranges::any_of(window.size, [](std::int64_t n) { return n > kLargest; })) {
        call.fail(ErrorCode::Unsupported, "input " + x.shapeText());
    }
    fillPads(call, window);
    const bool up = call.node.intAttribute("ceil_mode", 0) != 0;
    for (std::size_t d = 0; d < Window::kSpatial; ++d) {
        const std::int64_t room = window.size[d] + window.padBegin[d] + window.padEnd[d] - reach(window, d);
        if (room < 0) {
            call.fail(ErrorCode::ShapeMismatch, "a window larger than the padded input " + x.shapeText());
        }
        window.result[d] = room / window.stride[d] + 1;
        // A position more where the window would hang over the end, unless it would start behind the input.
        if (up && room % window.stride[d] != 0
            && window.result[d] * window.stride[d] < window.size[d] + window.padBegin[d]) {
            ++window.result[d];
        }
    }
    return window;
}

Dims Window::resultDims(std::int64_t batch, std::int64_t channels) const
{
    Dims dims {batch, channels};
    dims.insert(dims.end(), result.begin() + static_cast<std::ptrdiff_t>(kSpatial - spatial), result.end());
    return dims;
}

std::int64_t Window::countWithPadding(std::int64_t position) const
{
    const Sizes index {
        position / (result[1] * result[2]), position / result[2] % result[1], position % result[2]};
    std::int64_t count = 1;
    for (std::size_t d = 0; d < kSpatial; ++d) {
        const std::int64_t first = index[d] * stride[d];
        const std::int64_t room = size[d] + padBegin[d] + padEnd[d] - first;
        count *= std::clamp<std::int64_t>((room + dilation[d] - 1) / dilation[d], 0, kernel[d]);
    }
    return count;
}

} // namespace qs
