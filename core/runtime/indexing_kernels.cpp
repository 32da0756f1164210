#include "core/runtime/indexing_kernels.h"

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/base/parallel.h"
#include "core/runtime/kernel_registry.h"
#include "core/tensor/weight_values.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace qs {

namespace {

constexpr std::size_t kLargeTable = std::size_t {64} << 20U; // bytes; rows gathered from it are not kept

/// The part [first, first + count * step) of one dimension.
Array slicedView(const Array& x, std::size_t axis, std::int64_t first, std::int64_t count, std::int64_t step)
{
    Array view = x;
    view.data += first * x.strides[axis] * static_cast<std::int64_t>(sizeOf(x.dtype));
    view.dims[axis] = count;
    view.strides[axis] = x.strides[axis] * step;
    return view;
}

/// ONNX's clamping of one slice range to a dimension of n elements.
Array slicedAxis(const KernelCall& call, const Array& x, std::size_t axis, std::int64_t start,
    std::int64_t end, std::int64_t step)
{
    const std::int64_t n = x.dims[axis];
    if (step == 0 || step == std::numeric_limits<std::int64_t>::min()) {
        call.fail(ErrorCode::InvalidArgument, "a step of " + std::to_string(step));
    }
    const auto fromEnd = [n](std::int64_t p) { return p < 0 ? std::max(p, -n - 1) + n : p; };
    if (step > 0) {
        start = std::clamp<std::int64_t>(fromEnd(start), 0, n);
        end = std::clamp<std::int64_t>(fromEnd(end), 0, n);
        const std::int64_t length = std::max<std::int64_t>(0, end - start);
        return slicedView(x, axis, start, length == 0 ? 0 : (length - 1) / step + 1, step);
    }
    start = std::clamp<std::int64_t>(fromEnd(start), -1, n - 1);
    end = std::clamp<std::int64_t>(fromEnd(end), -1, n - 1);
    const std::int64_t length = std::max<std::int64_t>(0, start - end);
    return slicedView(
        x, axis, std::max<std::int64_t>(0, start), length == 0 ? 0 : (length - 1) / -step + 1, step);
}

std::vector<Array> slice(const KernelCall& call)
{
    Array x = call.input(0);
    const bool byInput = call.has(1);
    const Dims starts = byInput ? integersOf(call.input(1)) : call.node.intsAttribute("starts");
    const Dims ends = byInput ? integersOf(call.input(2)) : call.node.intsAttribute("ends");
    Dims axes = call.has(3) ? integersOf(call.input(3)) : call.node.intsAttribute("axes");
    Dims steps = call.has(4) ? integersOf(call.input(4)) : Dims();
    if (axes.empty()) {
        for (std::size_t i = 0; i < starts.size(); ++i) {
            axes.push_back(static_cast<std::int64_t>(i));
        }
    }
    steps.resize(std::max(steps.size(), starts.size()), 1);
    if (ends.size() != starts.size() || axes.size() != starts.size()) {
        call.fail(ErrorCode::InvalidArgument, "starts, ends and axes of different lengths");
    }
    for (std::size_t i = 0; i < starts.size(); ++i) {
        x = slicedAxis(call, x, call.axis(axes[i], x.rank()), starts[i], ends[i], steps[i]);
    }
    return {x};
}

std::int64_t checkedIndex(const KernelCall& call, std::int64_t index, std::int64_t n)
{
    if (index < -n || index >= n) {
        call.fail(ErrorCode::InvalidArgument,
            "index " + std::to_string(index) + " of a dimension of " + std::to_string(n));
    }
    return index < 0 ? index + n : index;
}

std::vector<Array> gather(const KernelCall& call)
{
    const Array& x = call.input(0);
    const Array& indices = call.input(1);
    const std::size_t axis = call.axis(call.node.intAttribute("axis", 0), x.rank());
    Dims wanted = integersOf(indices);
    for (std::int64_t& index : wanted) {
        index = checkedIndex(call, index, x.dims[axis]);
    }
    const bool converts = x.dtype == DType::F16 || x.dtype == DType::BF16; // a table as it is stored
    if (indices.rank() == 0 && !converts) {
        Array view = slicedView(x, axis, wanted.front(), 1, 1);
        view.dims.erase(view.dims.begin() + static_cast<std::ptrdiff_t>(axis));
        view.strides.erase(view.strides.begin() + static_cast<std::ptrdiff_t>(axis));
        return {view};
    }
    const Array dense = contiguous(x, call.pool);
    Dims dims(x.dims.begin(), x.dims.begin() + static_cast<std::ptrdiff_t>(axis));
    dims.insert(dims.end(), indices.dims.begin(), indices.dims.end());
    dims.insert(dims.end(), x.dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.dims.end());
    Array y = call.make(converts ? DType::F32 : x.dtype, dims);
    const auto width = static_cast<std::size_t>(product(x.dims, axis + 1, x.rank()));
    const std::size_t inner = width * sizeOf(x.dtype);
    const auto count = static_cast<std::int64_t>(wanted.size());
    const std::int64_t rows = product(x.dims, 0, axis) * count;
    const std::int64_t grain = std::max<std::int64_t>(1, 65536 / static_cast<std::int64_t>(inner + 1));
    parallelFor(rows, grain, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const std::int64_t source
                = row / count * x.dims[axis] + wanted[static_cast<std::size_t>(row % count)];
            const std::byte* from = dense.data + static_cast<std::size_t>(source) * inner;
            if (converts) {
                weightsToFloat(x.dtype, from, width, y.f32() + static_cast<std::size_t>(row) * width);
            } else {
                std::memcpy(y.data + static_cast<std::size_t>(row) * inner, from, inner);
            }
        }
    });
    const std::size_t tableBytes = static_cast<std::size_t>(dense.count()) * sizeOf(dense.dtype);
    if (tableBytes >= kLargeTable) {
        MappedFile::release({dense.data, tableBytes});
    }
    return {y};
}

std::vector<Array> gatherElements(const KernelCall& call)
{
    const Array x = contiguous(call.input(0), call.pool);
    const Array& indices = call.input(1);
    const std::size_t axis = call.axis(call.node.intAttribute("axis", 0), x.rank());
    if (indices.rank() != x.rank()) {
        call.fail(ErrorCode::ShapeMismatch, "indices " + indices.shapeText() + " into " + x.shapeText());
    }
    const Dims wanted = integersOf(indices);
    Array y = call.make(x.dtype, indices.dims);
    const Dims place = denseStrides(indices.dims);
    const std::size_t element = sizeOf(x.dtype);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        std::int64_t source = 0;
        for (std::size_t d = 0; d < x.rank(); ++d) {
            const std::int64_t at
                = d == axis ? wanted[i] : static_cast<std::int64_t>(i) / place[d] % indices.dims[d];
            source += checkedIndex(call, at, x.dims[d]) * x.strides[d];
        }
        std::memcpy(y.data + i * element, x.data + static_cast<std::size_t>(source) * element, element);
    }
    return {y};
}

std::vector<Array> split(const KernelCall& call)
{
    const Array& x = call.input(0);
    const std::size_t axis = call.axis(call.node.intAttribute("axis", 0), x.rank());
    const std::int64_t parts
        = call.node.intAttribute("num_outputs", static_cast<std::int64_t>(call.node.outputs.size()));
    Dims sizes = call.has(1) ? integersOf(call.input(1)) : call.node.intsAttribute("split");
    constexpr std::int64_t kMostParts = 1 << 20;
    if (parts < static_cast<std::int64_t>(call.node.outputs.size()) || parts > kMostParts) {
        call.fail(ErrorCode::InvalidArgument,
            std::to_string(parts) + " parts for " + std::to_string(call.node.outputs.size()) + " outputs");
    }
    if (sizes.empty()) {
        const std::int64_t part = (x.dims[axis] + parts - 1) / parts;
        for (std::int64_t i = 0; i < parts; ++i) {
            sizes.push_back(std::clamp<std::int64_t>(x.dims[axis] - i * part, 0, part));
        }
    }
    std::vector<Array> outputs;
    std::int64_t first = 0;
    for (const std::int64_t part : sizes) {
        if (part < 0 || part > x.dims[axis] - first) {
            call.fail(
                ErrorCode::ShapeMismatch, "parts that do not add up to " + std::to_string(x.dims[axis]));
        }
        outputs.push_back(slicedView(x, axis, first, part, 1));
        first += part;
    }
    if (first != x.dims[axis] || outputs.size() < call.node.outputs.size()) {
        call.fail(ErrorCode::ShapeMismatch, "parts that do not add up to " + std::to_string(x.dims[axis]));
    }
    return outputs;
}

std::vector<Array> concat(const KernelCall& call)
{
    const Array& first = call.input(0);
    const std::size_t axis = call.axis(call.node.intAttribute("axis", 0), first.rank());
    Dims dims = first.dims;
    dims[axis] = 0;
    for (const Array& part : call.inputs) {
        Dims expected = first.dims;
        if (part.rank() == first.rank()) {
            expected[axis] = part.dims[axis];
        }
        if (part.dims != expected || part.dtype != first.dtype) {
            call.fail(ErrorCode::ShapeMismatch, "parts " + first.shapeText() + " and " + part.shapeText());
        }
        dims[axis] += part.dims[axis];
    }
    Array y = call.make(first.dtype, dims);
    std::int64_t offset = 0;
    for (const Array& part : call.inputs) {
        copyInto(part, slicedView(y, axis, offset, part.dims[axis], 1));
        offset += part.dims[axis];
    }
    return {y};
}

} // namespace

void addIndexingKernels(KernelRegistry& registry)
{
    registry.add("Slice", {slice});
    registry.add("Gather", {gather});
    registry.add("GatherElements", {gatherElements});
    registry.add("Split", {split});
    registry.add("Concat", {concat});
}

} // namespace qs
