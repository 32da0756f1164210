#include "core/runtime/resize_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/dtype_dispatch.h"
#include "core/runtime/kernel_registry.h"
#include "core/runtime/resize_taps.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace qs {

namespace {

constexpr std::int64_t kLargest = std::int64_t {1} << 40; // of a resized dimension

ResizeRule ruleOf(const Node& node)
{
    ResizeRule rule;
    const std::string mode = node.stringAttribute("mode", "nearest");
    const std::string coordinates = node.stringAttribute("coordinate_transformation_mode", "half_pixel");
    const std::string rounding = node.stringAttribute("nearest_mode", "round_prefer_floor");
    const auto knownMode = resizeModeNamed(mode);
    const auto knownCoordinates = resizeCoordinatesNamed(coordinates);
    const auto knownRounding = nearestRoundingNamed(rounding);
    if (!knownMode || !knownCoordinates || !knownRounding) {
        throw Error(ErrorCode::Unsupported,
            "Resize '" + node.name + "': mode '" + mode + "' with coordinates '" + coordinates
                + "' and rounding '" + rounding + "'");
    }
    rule.mode = *knownMode;
    rule.coordinates = *knownCoordinates;
    rule.rounding = *knownRounding;
    rule.antialias = node.intAttribute("antialias", 0) != 0;
    rule.excludeOutside = node.intAttribute("exclude_outside", 0) != 0;
    rule.cubicA = static_cast<double>(static_cast<float>(node.floatAttribute("cubic_coeff_a", -0.75)));
    return rule;
}

void checkResize(const Node& node)
{
    static_cast<void>(ruleOf(node));
    const std::string policy = node.stringAttribute("keep_aspect_ratio_policy", "stretch");
    if (policy != "stretch" && policy != "not_larger" && policy != "not_smaller") {
        throw Error(ErrorCode::Unsupported,
            "Resize '" + node.name + "': keep_aspect_ratio_policy = '" + policy + "'");
    }
}

/// A vector of the optional float input; empty where it is absent or empty.
std::vector<double> floatsOf(const KernelCall& call, std::size_t index)
{
    if (!call.has(index) || call.input(index).count() == 0) {
        return {};
    }
    const Array values = call.denseF32(index);
    return {values.f32(), values.f32() + values.count()};
}

void requireCount(const KernelCall& call, std::size_t given, std::size_t wanted, const char* what)
{
    if (given != wanted) {
        call.fail(ErrorCode::ShapeMismatch,
            std::to_string(given) + " " + what + " for " + std::to_string(wanted) + " axes");
    }
}

/// Output size and scale of the listed axes from the wanted sizes.
void applySizes(
    const KernelCall& call, const std::vector<std::size_t>& axes, std::vector<ResizedDimension>& dimensions)
{
    const Dims sizes = integersOf(call.input(3));
    requireCount(call, sizes.size(), axes.size(), "sizes");
    const std::string policy = call.node.stringAttribute("keep_aspect_ratio_policy", "stretch");
    double common = policy == "not_larger" ? HUGE_VAL : 0.0;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        ResizedDimension& d = dimensions[axes[i]];
        if (sizes[i] < 0 || sizes[i] > kLargest || d.input < 1) {
            call.fail(ErrorCode::InvalidArgument,
                "a size of " + std::to_string(sizes[i]) + " for " + std::to_string(d.input) + " elements");
        }
        d.output = sizes[i];
        d.scale = static_cast<double>(sizes[i]) / static_cast<double>(d.input);
        common = policy == "not_larger" ? std::min(common, d.scale) : std::max(common, d.scale);
    }
    for (const std::size_t axis : axes) {
        if (policy != "stretch") { // halves up
            ResizedDimension& d = dimensions[axis];
            d.scale = common;
            d.output = static_cast<std::int64_t>(std::floor(common * static_cast<double>(d.input) + 0.5));
        }
    }
}

void applyScales(const KernelCall& call, const std::vector<std::size_t>& axes,
    const std::vector<double>& scales, bool crops, std::vector<ResizedDimension>& dimensions)
{
    requireCount(call, scales.size(), axes.size(), "scales");
    for (std::size_t i = 0; i < axes.size(); ++i) {
        ResizedDimension& d = dimensions[axes[i]];
        const double kept = crops ? d.roiEnd - d.roiStart : 1.0;
        const double length = std::floor(static_cast<double>(d.input) * kept * scales[i]);
        if (!(scales[i] > 0.0) || !(length >= 0.0) || length > static_cast<double>(kLargest)) {
            call.fail(ErrorCode::InvalidArgument, "a scale of " + std::to_string(scales[i]));
        }
        d.scale = scales[i];
        d.output = static_cast<std::int64_t>(length);
    }
}

std::vector<ResizedDimension> dimensionsOf(const KernelCall& call, const Array& x, const ResizeRule& rule)
{
    std::vector<ResizedDimension> dimensions(x.rank());
    for (std::size_t i = 0; i < x.rank(); ++i) {
        dimensions[i].input = dimensions[i].output = x.dims[i];
    }
    std::vector<std::size_t> axes;
    if (call.node.attributes.contains("axes")) {
        for (const std::int64_t axis : call.node.intsAttribute("axes")) {
            axes.push_back(call.axis(axis, x.rank()));
        }
    } else {
        for (std::size_t i = 0; i < x.rank(); ++i) {
            axes.push_back(i);
        }
    }
    const bool crops = rule.coordinates == ResizeCoordinates::TfCropAndResize;
    if (crops) {
        const std::vector<double> roi = floatsOf(call, 1);
        requireCount(call, roi.size(), 2 * axes.size(), "borders of the region");
        for (std::size_t i = 0; i < axes.size(); ++i) {
            dimensions[axes[i]].roiStart = roi[i];
            dimensions[axes[i]].roiEnd = roi[axes.size() + i];
        }
    }
    const std::vector<double> scales = floatsOf(call, 2);
    const bool hasSizes = call.has(3) && call.input(3).count() > 0;
    if (scales.empty() == !hasSizes && !axes.empty()) {
        call.fail(ErrorCode::InvalidArgument, "it needs either scales or sizes");
    }
    if (hasSizes) {
        applySizes(call, axes, dimensions);
    } else {
        applyScales(call, axes, scales, crops, dimensions);
    }
    return dimensions;
}

/// Resizes one dimension; the others stay.
template<typename T>
Array resizeAxis(
    const KernelCall& call, const Array& x, std::size_t axis, const ResizeTaps& taps, T extrapolation)
{
    Dims dims = x.dims;
    dims[axis] = taps.count();
    Array y = call.make(x.dtype, dims);
    const std::int64_t inner = product(dims, axis + 1, dims.size());
    const std::int64_t rows = product(dims, 0, axis + 1);
    parallelFor(rows, std::max<std::int64_t>(1, 4096 / std::max<std::int64_t>(1, inner)),
        [&](std::int64_t begin, std::int64_t end) {
            call.context.throwIfCancelled();
            for (std::int64_t row = begin; row < end; ++row) {
                const auto element = static_cast<std::size_t>(row % taps.count());
                const T* in = x.as<const T>() + row / taps.count() * x.dims[axis] * inner;
                T* out = y.as<T>() + row * inner;
                const auto first = static_cast<std::size_t>(taps.first[element]);
                const auto last = static_cast<std::size_t>(taps.first[element + 1]);
                for (std::int64_t i = 0; i < inner; ++i) {
                    if (last - first == 1) {
                        out[i] = in[taps.indices[first] * inner + i];
                        continue;
                    }
                    double sum = first == last ? static_cast<double>(extrapolation) : 0.0;
                    for (std::size_t tap = first; tap < last; ++tap) {
                        sum += taps.weights[tap] * static_cast<double>(in[taps.indices[tap] * inner + i]);
                    }
                    out[i] = static_cast<T>(sum);
                }
            }
        });
    return y;
}

/// One dimension after the other: every mode is a product of filters along the dimensions.
std::vector<Array> resize(const KernelCall& call)
{
    const ResizeRule rule = ruleOf(call.node);
    Array x = contiguous(call.input(0), call.pool);
    if (x.dtype != DType::F32 && rule.mode != ResizeMode::Nearest) {
        call.fail(ErrorCode::Unsupported, "interpolation between values of " + std::string(nameOf(x.dtype)));
    }
    const std::vector<ResizedDimension> dimensions = dimensionsOf(call, x, rule);
    const bool crops = rule.coordinates == ResizeCoordinates::TfCropAndResize;
    const double extrapolation = call.node.floatAttribute("extrapolation_value", 0.0);
    for (std::size_t axis = 0; axis < x.rank(); ++axis) {
        const ResizedDimension& d = dimensions[axis];
        if ((d.scale == 1.0 && d.output == d.input && !crops)) {
            continue;
        }
        if (d.input < 1) {
            call.fail(ErrorCode::ShapeMismatch, "nothing to resize in " + x.shapeText());
        }
        const ResizeTaps taps = resizeTaps(rule, d);
        dispatchByType(x.dtype,
            [&]<typename T>(T) { x = resizeAxis<T>(call, x, axis, taps, static_cast<T>(extrapolation)); });
    }
    return {x};
}

} // namespace

void addResizeKernels(KernelRegistry& registry)
{
    registry.add("Resize", {resize, checkResize});
}

} // namespace qs
