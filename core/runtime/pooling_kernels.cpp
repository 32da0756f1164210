#include "core/runtime/pooling_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/dtype_dispatch.h"
#include "core/runtime/kernel_registry.h"
#include "core/runtime/window.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace qs {

namespace {

/// Calls body(plane number) for every channel of every sample, in parallel.
template<typename Body>
void forEachPlane(const KernelCall& call, const Array& x, const Body& body)
{
    parallelFor(x.dims[0] * x.dims[1], 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t plane = begin; plane < end; ++plane) {
            call.context.throwIfCancelled();
            body(plane);
        }
    });
}

std::vector<Array> averagePool(const KernelCall& call)
{
    const Array x = call.denseF32(0);
    const Window window = windowOf(call, x, call.node.intsAttribute("kernel_shape"));
    const bool countPadding = call.node.intAttribute("count_include_pad", 0) != 0;
    Array y = call.make(DType::F32, window.resultDims(x.dims[0], x.dims[1]));
    forEachPlane(call, x, [&](std::int64_t plane) {
        const float* in = x.f32() + plane * window.inputSize();
        float* out = y.f32() + plane * window.positions();
        for (std::int64_t position = 0; position < window.positions(); ++position) {
            double sum = 0.0;
            std::int64_t count = 0;
            window.forEachInside(position, [&](std::int64_t, std::int64_t offset) {
                sum += static_cast<double>(in[offset]);
                ++count;
            });
            count = countPadding ? window.countWithPadding(position) : count;
            out[position] = static_cast<float>(sum / static_cast<double>(std::max<std::int64_t>(1, count)));
        }
    });
    return {y};
}

/// Offset of an element in its plane when the last two dimensions are counted column by column.
std::int64_t columnMajor(const Window& window, std::int64_t offset)
{
    const std::int64_t height = window.size[1];
    const std::int64_t width = window.size[2];
    const std::int64_t inImage = offset % (height * width);
    return offset - inImage + inImage % width * height + inImage / width;
}

std::vector<Array> maxPool(const KernelCall& call)
{
    const Array x = contiguous(call.input(0), call.pool);
    const Window window = windowOf(call, x, call.node.intsAttribute("kernel_shape"));
    const bool byColumn = call.node.intAttribute("storage_order", 0) != 0;
    const bool wantsIndices = call.node.outputs.size() > 1;
    Array y = call.make(x.dtype, window.resultDims(x.dims[0], x.dims[1]));
    Array indices = wantsIndices ? call.make(DType::I64, y.dims) : Array();
    dispatchByType(x.dtype, [&]<typename T>(T) {
        forEachPlane(call, x, [&](std::int64_t plane) {
            const T* in = x.as<const T>() + plane * window.inputSize();
            for (std::int64_t position = 0; position < window.positions(); ++position) {
                std::int64_t best = -1;
                window.forEachInside(position, [&](std::int64_t, std::int64_t offset) {
                    best = best < 0 || in[offset] > in[best] ? offset : best;
                });
                const std::int64_t at = plane * window.positions() + position;
                y.as<T>()[at] = best < 0 ? std::numeric_limits<T>::lowest() : in[best];
                if (wantsIndices) {
                    indices.as<std::int64_t>()[at]
                        = plane * window.inputSize() + (byColumn ? columnMajor(window, best) : best);
                }
            }
        });
    });
    return wantsIndices ? std::vector<Array> {y, indices} : std::vector<Array> {y};
}

/// One number a channel: reduces all spatial elements at once.
template<typename Reduce>
std::vector<Array> globalPool(const KernelCall& call, const Reduce& reduce)
{
    const Array x = call.denseF32(0);
    if (x.rank() < 2) {
        call.fail(ErrorCode::ShapeMismatch, "input " + x.shapeText() + " has no channels");
    }
    Dims dims = x.dims;
    std::fill(dims.begin() + 2, dims.end(), 1);
    const std::int64_t count = product(x.dims, 2, x.rank());
    if (count == 0) {
        call.fail(ErrorCode::ShapeMismatch, "input " + x.shapeText() + " has no elements to pool");
    }
    Array y = call.make(DType::F32, dims);
    forEachPlane(
        call, x, [&](std::int64_t plane) { y.f32()[plane] = reduce(x.f32() + plane * count, count); });
    return {y};
}

std::vector<Array> globalAveragePool(const KernelCall& call)
{
    return globalPool(call, [](const float* x, std::int64_t count) {
        return static_cast<float>(std::accumulate(x, x + count, 0.0) / static_cast<double>(count));
    });
}

std::vector<Array> globalMaxPool(const KernelCall& call)
{
    return globalPool(
        call, [](const float* x, std::int64_t count) { return *std::max_element(x, x + count); });
}

} // namespace

void addPoolingKernels(KernelRegistry& registry)
{
    registry.add("AveragePool", {averagePool});
    registry.add("MaxPool", {maxPool});
    registry.add("GlobalAveragePool", {globalAveragePool});
    registry.add("GlobalMaxPool", {globalMaxPool});
}

} // namespace qs
