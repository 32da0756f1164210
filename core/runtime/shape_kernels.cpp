#include "core/runtime/shape_kernels.h"

#include "core/base/error.h"
#include "core/runtime/broadcast.h"
#include "core/runtime/kernel_registry.h"

#include <algorithm>
#include <cstring>

namespace qs {

namespace {

std::vector<Array> identity(const KernelCall& call)
{
    return {call.input(0)};
}

/// Inference: nothing is dropped, and the mask says so.
std::vector<Array> dropout(const KernelCall& call)
{
    const Array& x = call.input(0);
    if (call.node.outputs.size() < 2) {
        return {x};
    }
    Array kept = call.make(DType::Bool, {1});
    *kept.as<std::uint8_t>() = 1;
    kept.dims = x.dims;
    kept.strides.assign(x.rank(), 0);
    return {x, kept};
}

/// Target dims of a Reshape: 0 keeps a dimension (unless allowzero), one -1 is inferred.
Dims reshapeTarget(const KernelCall& call, const Array& x, Dims wanted)
{
    const bool keepZero = call.node.intAttribute("allowzero", 0) != 0;
    std::int64_t known = 1;
    std::size_t inferred = wanted.size();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i] == 0 && !keepZero) {
            if (i >= x.rank()) {
                call.fail(
                    ErrorCode::ShapeMismatch, "dimension " + std::to_string(i) + " of " + x.shapeText());
            }
            wanted[i] = x.dims[i];
        }
        if (wanted[i] == -1) {
            if (inferred != wanted.size()) {
                call.fail(ErrorCode::InvalidArgument, "more than one dimension is -1");
            }
            inferred = i;
        } else if (wanted[i] < 0 || __builtin_mul_overflow(known, wanted[i], &known)) {
            call.fail(ErrorCode::InvalidArgument, "dimension " + std::to_string(wanted[i]));
        }
    }
    if (inferred != wanted.size()) {
        wanted[inferred] = known == 0 ? 0 : x.count() / known;
        known *= wanted[inferred];
    }
    if (known != x.count()) {
        call.fail(
            ErrorCode::ShapeMismatch, x.shapeText() + " does not have the element count of the new shape");
    }
    return wanted;
}

std::vector<Array> reshape(const KernelCall& call)
{
    const Array& x = call.input(0);
    const Dims wanted = call.has(1) ? integersOf(call.input(1)) : call.node.intsAttribute("shape");
    return {reshaped(x, reshapeTarget(call, x, wanted), call.pool)};
}

std::vector<Array> flatten(const KernelCall& call)
{
    const Array& x = call.input(0);
    const std::int64_t wanted = call.node.intAttribute("axis", 1);
    const std::size_t axis
        = wanted == static_cast<std::int64_t>(x.rank()) ? x.rank() : call.axis(wanted, x.rank());
    return {reshaped(x, {product(x.dims, 0, axis), product(x.dims, axis, x.rank())}, call.pool)};
}

std::vector<Array> transpose(const KernelCall& call)
{
    const Array& x = call.input(0);
    const Dims perm = call.node.intsAttribute("perm");
    std::vector<std::size_t> order;
    if (perm.empty()) {
        for (std::size_t i = x.rank(); i-- > 0;) {
            order.push_back(i);
        }
    }
    for (const std::int64_t axis : perm) {
        order.push_back(call.axis(axis, x.rank()));
    }
    std::vector<std::size_t> sorted = order;
    std::ranges::sort(sorted);
    if (sorted.size() != x.rank() || std::ranges::adjacent_find(sorted) != sorted.end()) {
        call.fail(ErrorCode::InvalidArgument, "perm does not fit shape " + x.shapeText());
    }
    return {permuted(x, order)};
}

/// Axes from the second input (opset 13 on) or the attribute.
Dims axesOf(const KernelCall& call)
{
    return call.has(1) ? integersOf(call.input(1)) : call.node.intsAttribute("axes");
}

std::vector<Array> squeeze(const KernelCall& call)
{
    const Array& x = call.input(0);
    std::vector<bool> drop(x.rank(), false);
    const Dims axes = axesOf(call);
    for (const std::int64_t axis : axes) {
        const std::size_t index = call.axis(axis, x.rank());
        if (x.dims[index] != 1) {
            call.fail(ErrorCode::ShapeMismatch,
                "dimension " + std::to_string(index) + " of " + x.shapeText() + " is not 1");
        }
        drop[index] = true;
    }
    Array view = x;
    view.dims.clear();
    view.strides.clear();
    for (std::size_t i = 0; i < x.rank(); ++i) {
        if (!(drop[i] || (axes.empty() && x.dims[i] == 1))) {
            view.dims.push_back(x.dims[i]);
            view.strides.push_back(x.strides[i]);
        }
    }
    return {view};
}

std::vector<Array> unsqueeze(const KernelCall& call)
{
    const Array& x = call.input(0);
    const Dims axes = axesOf(call);
    const std::size_t rank = x.rank() + axes.size();
    std::vector<bool> isNew(rank, false);
    for (const std::int64_t axis : axes) {
        isNew[call.axis(axis, rank)] = true;
    }
    if (static_cast<std::size_t>(std::ranges::count(isNew, true)) != axes.size()) {
        call.fail(ErrorCode::InvalidArgument, "an axis is named twice");
    }
    Array view = x;
    view.dims.clear();
    view.strides.clear();
    std::size_t next = 0;
    for (std::size_t i = 0; i < rank; ++i) {
        if (isNew[i]) {
            view.dims.push_back(1);
            view.strides.push_back(1);
        } else {
            view.dims.push_back(x.dims[next]);
            view.strides.push_back(x.strides[next++]);
        }
    }
    return {view};
}

std::vector<Array> expand(const KernelCall& call)
{
    const Array& x = call.input(0);
    const Dims dims = broadcastDims(call.node, x.dims, integersOf(call.input(1)));
    static_cast<void>(Shape(dims)); // throws on negative or overflowing dims
    return {broadcastView(x, dims)};
}

std::vector<Array> shape(const KernelCall& call)
{
    const Array& x = call.input(0);
    const auto rank = static_cast<std::int64_t>(x.rank());
    const auto position
        = [rank](std::int64_t p) { return std::clamp<std::int64_t>(p < 0 ? p + rank : p, 0, rank); };
    const std::int64_t start = position(call.node.intAttribute("start", 0));
    const std::int64_t end = std::max(start, position(call.node.intAttribute("end", rank)));
    Array y = call.make(DType::I64, {end - start});
    std::copy(x.dims.begin() + start, x.dims.begin() + end, y.as<std::int64_t>());
    return {y};
}

std::vector<Array> size(const KernelCall& call)
{
    Array y = call.make(DType::I64, {});
    *y.as<std::int64_t>() = call.input(0).count();
    return {y};
}

std::vector<Array> constant(const KernelCall& call)
{
    const auto& attributes = call.node.attributes;
    const auto scalars = [&](const char* key) -> const Attribute* {
        const auto it = attributes.find(key);
        return it == attributes.end() ? nullptr : &it->second;
    };
    if (const Attribute* value = scalars("value")) {
        return {Array::of(std::get<Tensor>(*value))};
    }
    if (scalars("value_float") != nullptr) {
        const auto value = static_cast<float>(call.node.floatAttribute("value_float", 0.0));
        return {Array::of(Tensor::of<float>(Shape {}, {value}))};
    }
    if (scalars("value_int") != nullptr) {
        return {Array::of(Tensor::of<std::int64_t>(Shape {}, {call.node.intAttribute("value_int", 0)}))};
    }
    if (scalars("value_ints") != nullptr) {
        const Dims values = call.node.intsAttribute("value_ints");
        return {Array::of(
            Tensor::of<std::int64_t>(Shape {static_cast<std::int64_t>(values.size())}, std::span(values)))};
    }
    if (const Attribute* value = scalars("value_floats")) {
        std::vector<float> values;
        for (const double v : std::get<std::vector<double>>(*value)) {
            values.push_back(static_cast<float>(v));
        }
        return {Array::of(Tensor::of<float>(
            Shape {static_cast<std::int64_t>(values.size())}, std::span<const float>(values)))};
    }
    call.fail(ErrorCode::Unsupported, "no value attribute of a known kind");
}

std::vector<Array> constantOfShape(const KernelCall& call)
{
    Array value = Array::of(Tensor::of<float>(Shape {1}, {0.0F}));
    const auto it = call.node.attributes.find("value");
    if (it != call.node.attributes.end()) {
        value = Array::of(std::get<Tensor>(it->second));
    }
    const Dims dims = integersOf(call.input(0));
    if (value.count() != 1) {
        call.fail(ErrorCode::ShapeMismatch, "a value of shape " + value.shapeText());
    }
    static_cast<void>(Shape(dims));
    value.dims = dims;
    value.strides.assign(dims.size(), 0);
    return {value};
}

} // namespace

void addShapeKernels(KernelRegistry& registry)
{
    registry.add("Identity", {identity});
    registry.add("Dropout", {dropout});
    registry.add("Reshape", {reshape});
    registry.add("Flatten", {flatten});
    registry.add("Transpose", {transpose});
    registry.add("Squeeze", {squeeze});
    registry.add("Unsqueeze", {unsqueeze});
    registry.add("Expand", {expand});
    registry.add("Shape", {shape});
    registry.add("Size", {size});
    registry.add("Constant", {constant});
    registry.add("ConstantOfShape", {constantOfShape});
}

} // namespace qs
