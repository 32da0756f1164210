#include "core/runtime/filling_kernels.h"

#include "core/base/error.h"
#include "core/runtime/dtype_dispatch.h"
#include "core/runtime/kernel_registry.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace qs {

namespace {

/// Rows of the innermost dimension of `dims`, with the index of each along the outer ones: body(index, row
/// number).
template<typename Body>
void forEachRow(const KernelCall& call, const Dims& dims, const Body& body)
{
    const std::int64_t rows = dims.empty() ? 1 : product(dims, 0, dims.size() - 1);
    Dims index(dims.empty() ? 0 : dims.size() - 1, 0);
    for (std::int64_t row = 0; row < rows; ++row) {
        if (row % 1024 == 0) {
            call.context.throwIfCancelled();
        }
        body(index, row);
        for (std::size_t i = index.size(); i-- > 0;) {
            if (++index[i] < dims[i]) {
                break;
            }
            index[i] = 0;
        }
    }
}

/// The integers of an input that must have one for each dimension of x.
Dims onePerDimension(const KernelCall& call, std::size_t input, const Array& x)
{
    Dims values = integersOf(call.input(input));
    if (values.size() != x.rank()) {
        call.fail(ErrorCode::ShapeMismatch,
            std::to_string(values.size()) + " numbers for the dimensions of " + x.shapeText());
    }
    return values;
}

std::vector<Array> tile(const KernelCall& call)
{
    const Array& x = call.input(0);
    const Dims repeats = onePerDimension(call, 1, x);
    Dims dims = x.dims;
    Dims spread; // [repeats 0, dim 0, repeats 1, dim 1, ...]
    Array view = x;
    view.dims.clear();
    view.strides.clear();
    for (std::size_t i = 0; i < dims.size(); ++i) {
        if (repeats[i] < 0 || __builtin_mul_overflow(dims[i], repeats[i], &dims[i])) {
            call.fail(ErrorCode::InvalidArgument, std::to_string(repeats[i]) + " repetitions");
        }
        view.dims.insert(view.dims.end(), {repeats[i], x.dims[i]});
        view.strides.insert(view.strides.end(), {0, x.strides[i]});
    }
    const Array y = call.make(x.dtype, dims);
    copyInto(view, *reshapedView(y, view.dims));
    return {y};
}

enum class Border { Constant, Reflect, Edge, Wrap };

/// Index into n elements for a position outside or inside of them; -1: the constant.
std::int64_t sourceIndex(std::int64_t position, std::int64_t n, Border border)
{
    if (position >= 0 && position < n) {
        return position;
    }
    switch (border) {
    case Border::Constant: return -1;
    case Border::Edge: return std::clamp<std::int64_t>(position, 0, n - 1);
    case Border::Wrap: return (position % n + n) % n;
    case Border::Reflect: break;
    }
    if (n == 1) {
        return 0;
    }
    const std::int64_t period = 2 * (n - 1);
    const std::int64_t folded = (position % period + period) % period;
    return folded < n ? folded : period - folded;
}

Border borderOf(const Node& node)
{
    const std::string mode = node.stringAttribute("mode", "constant");
    if (mode == "reflect") {
        return Border::Reflect;
    }
    if (mode == "edge") {
        return Border::Edge;
    }
    return mode == "wrap" ? Border::Wrap : Border::Constant;
}

void checkPad(const Node& node)
{
    const std::string mode = node.stringAttribute("mode", "constant");
    if (borderOf(node) == Border::Constant && mode != "constant") {
        throw Error(ErrorCode::Unsupported, "Pad '" + node.name + "': mode = '" + mode + "'");
    }
}

/// Elements added before (negative: removed) and the resulting dims.
struct Padding
{
    Dims before;
    Dims dims;
};

Padding paddingOf(const KernelCall& call, const Array& x)
{
    const Dims pads = integersOf(call.input(1));
    Dims axes = call.has(3) ? integersOf(call.input(3)) : Dims();
    for (std::size_t i = 0; !call.has(3) && i < x.rank(); ++i) {
        axes.push_back(static_cast<std::int64_t>(i));
    }
    if (pads.size() != 2 * axes.size()) {
        call.fail(ErrorCode::ShapeMismatch,
            std::to_string(pads.size()) + " pads for " + std::to_string(axes.size()) + " axes");
    }
    Padding padding {Dims(x.rank(), 0), x.dims};
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const std::size_t axis = call.axis(axes[i], x.rank());
        padding.before[axis] = pads[i];
        std::int64_t& dim = padding.dims[axis];
        if (__builtin_add_overflow(dim, pads[i], &dim)
            || __builtin_add_overflow(dim, pads[axes.size() + i], &dim) || dim < 0) {
            call.fail(ErrorCode::ShapeMismatch, "pads that leave " + std::to_string(dim) + " elements");
        }
    }
    return padding;
}

std::vector<Array> pad(const KernelCall& call)
{
    const Array x = contiguous(call.input(0), call.pool);
    const Border border = borderOf(call.node);
    const Padding padding = paddingOf(call, x);
    if (x.rank() == 0) {
        return {x};
    }
    if (border != Border::Constant && x.count() == 0) {
        call.fail(ErrorCode::ShapeMismatch, "nothing to repeat in " + x.shapeText());
    }
    Array y = call.make(x.dtype, padding.dims);
    dispatchByType(x.dtype, [&]<typename T>(T) {
        T fill {};
        if (call.has(2) && call.input(2).count() > 0) {
            if (call.input(2).dtype != x.dtype) {
                call.fail(
                    ErrorCode::Unsupported, "a value of type " + std::string(nameOf(call.input(2).dtype)));
            }
            fill = *call.input(2).as<const T>();
        }
        const std::size_t inner = x.rank() - 1;
        forEachRow(call, y.dims, [&](const Dims& index, std::int64_t row) {
            std::int64_t offset = 0;
            bool inside = true;
            for (std::size_t i = 0; i < inner; ++i) {
                const std::int64_t source = sourceIndex(index[i] - padding.before[i], x.dims[i], border);
                inside = inside && source >= 0;
                offset += source * x.strides[i];
            }
            T* out = y.as<T>() + row * y.dims[inner];
            for (std::int64_t i = 0; i < y.dims[inner]; ++i) {
                const std::int64_t source
                    = inside ? sourceIndex(i - padding.before[inner], x.dims[inner], border) : -1;
                out[i] = source < 0 ? fill : x.as<const T>()[offset + source];
            }
        });
    });
    return {y};
}

/// Keeps the upper or lower triangle of the last two dimensions.
std::vector<Array> trilu(const KernelCall& call)
{
    const Array x = contiguous(call.input(0), call.pool);
    if (x.rank() < 2) {
        call.fail(ErrorCode::ShapeMismatch, "input " + x.shapeText() + " is no matrix");
    }
    const Dims diagonal = call.has(1) ? integersOf(call.input(1)) : Dims {0};
    if (diagonal.size() != 1) {
        call.fail(ErrorCode::ShapeMismatch, std::to_string(diagonal.size()) + " diagonals");
    }
    const bool upper = call.node.intAttribute("upper", 1) != 0;
    const std::int64_t width = x.dims.back();
    // Element (i, j) is above the diagonal k when j - i >= k; limits keep i + k from overflowing.
    const std::int64_t limit = x.dims[x.rank() - 2] + width + 1;
    const std::int64_t k = std::clamp(diagonal[0], -limit, limit);
    Array y = call.make(x.dtype, x.dims);
    const auto size = static_cast<std::int64_t>(sizeOf(x.dtype));
    forEachRow(call, x.dims, [&](const Dims& index, std::int64_t row) {
        const std::int64_t split = std::clamp<std::int64_t>(index.back() + k + (upper ? 0 : 1), 0, width);
        const std::int64_t first = upper ? split : 0;
        const std::int64_t last = upper ? width : split;
        std::byte* out = y.data + row * width * size;
        std::memset(out, 0, static_cast<std::size_t>(width * size));
        std::memcpy(out + first * size, x.data + (row * width + first) * size,
            static_cast<std::size_t>((last - first) * size));
    });
    return {y};
}

std::vector<Array> range(const KernelCall& call)
{
    const Array& start = call.input(0);
    for (std::size_t i = 0; i < 3; ++i) {
        if (call.input(i).count() != 1 || call.input(i).dtype != start.dtype) {
            call.fail(ErrorCode::ShapeMismatch, "start, limit and delta that are no scalars of one type");
        }
    }
    Array y;
    dispatchByType(start.dtype, [&]<typename T>(T) {
        const auto first = static_cast<double>(*start.as<const T>());
        const auto limit = static_cast<double>(*call.input(1).as<const T>());
        const auto delta = static_cast<double>(*call.input(2).as<const T>());
        const double count = std::ceil((limit - first) / delta);
        if (!std::isfinite(count) || count > 0x1p53) {
            call.fail(ErrorCode::InvalidArgument, "a step of " + std::to_string(delta));
        }
        y = call.make(start.dtype, {std::max<std::int64_t>(0, static_cast<std::int64_t>(count))});
        for (std::int64_t i = 0; i < y.count(); ++i) {
            y.as<T>()[i] = static_cast<T>(first + static_cast<double>(i) * delta);
        }
    });
    return {y};
}

std::vector<Array> cumulativeSum(const KernelCall& call)
{
    const Array x = contiguous(call.input(0), call.pool);
    const Dims wanted = integersOf(call.input(1));
    if (wanted.size() != 1) {
        call.fail(ErrorCode::ShapeMismatch, std::to_string(wanted.size()) + " axes");
    }
    const std::size_t axis = call.axis(wanted[0], x.rank());
    const bool exclusive = call.node.intAttribute("exclusive", 0) != 0;
    const bool reverse = call.node.intAttribute("reverse", 0) != 0;
    const std::int64_t n = x.dims[axis];
    const std::int64_t step = product(x.dims, axis + 1, x.rank());
    Array y = call.make(x.dtype, x.dims);
    if (x.count() == 0) {
        return {y};
    }
    dispatchByType(x.dtype, [&]<typename T>(T) {
        using Sum = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>; // integers wrap around
        for (std::int64_t line = 0; line < x.count() / n; ++line) {
            const std::int64_t first = line / step * step * n + line % step;
            Sum sum {};
            for (std::int64_t i = 0; i < n; ++i) {
                const std::int64_t at = first + (reverse ? n - 1 - i : i) * step;
                const Sum before = sum;
                sum += static_cast<Sum>(x.as<const T>()[at]);
                y.as<T>()[at] = static_cast<T>(exclusive ? before : sum);
            }
        }
    });
    return {y};
}

} // namespace

void addFillingKernels(KernelRegistry& registry)
{
    registry.add("Tile", {tile});
    registry.add("Pad", {pad, checkPad});
    registry.add("Trilu", {trilu});
    registry.add("Range", {range});
    registry.add("CumSum", {cumulativeSum});
}

} // namespace qs
