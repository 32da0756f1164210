#include "core/runtime/normalization_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/broadcast.h"
#include "core/runtime/kernel_registry.h"
#include "core/runtime/row_functions.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace qs {

namespace {

constexpr std::int64_t kGrain = 16384; // elements handed to a thread at once

/// Mean and 1 / sqrt(variance + epsilon) of every row: the optional outputs of LayerNormalization.
void rowStatistics(const Array& x, std::int64_t width, float epsilon, const Array& mean, const Array& inverse)
{
    parallelFor(mean.count(), std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, width)),
        [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t row = begin; row < end; ++row) {
                const float* values = x.f32() + row * width;
                double sum = 0.0;
                for (std::int64_t i = 0; i < width; ++i) {
                    sum += static_cast<double>(values[i]);
                }
                const double centre = sum / static_cast<double>(width);
                double squares = 0.0;
                for (std::int64_t i = 0; i < width; ++i) {
                    const double distance = static_cast<double>(values[i]) - centre;
                    squares += distance * distance;
                }
                mean.f32()[row] = static_cast<float>(centre);
                inverse.f32()[row] = static_cast<float>(
                    1.0 / std::sqrt(squares / static_cast<double>(width) + static_cast<double>(epsilon)));
            }
        });
}

std::vector<Array> layerNormalization(const KernelCall& call)
{
    const Array x = call.denseF32(0);
    const std::size_t axis = call.axis(call.node.intAttribute("axis", -1), x.rank());
    const std::int64_t width = product(x.dims, axis, x.rank());
    const std::int64_t rows = product(x.dims, 0, axis);
    const Array gamma = call.denseF32(1);
    const Array beta = call.has(2) ? call.denseF32(2) : Array();
    if (gamma.count() != width || (beta.valid() && beta.count() != width)) {
        call.fail(ErrorCode::ShapeMismatch,
            "input " + x.shapeText() + " and scale " + gamma.shapeText() + " do not fit");
    }
    const auto epsilon = static_cast<float>(call.node.floatAttribute("epsilon", 1e-5));
    Array y = call.make(DType::F32, x.dims);
    parallelFor(rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, width)),
        [&](std::int64_t begin, std::int64_t end) {
            call.context.throwIfCancelled();
            for (std::int64_t row = begin; row < end; ++row) {
                rowFunctions().layerNorm(x.f32() + row * width, gamma.f32(),
                    beta.valid() ? beta.f32() : nullptr, epsilon, y.f32() + row * width, width);
            }
        });
    if (call.node.outputs.size() == 1) {
        return {y};
    }
    Dims dims = x.dims;
    std::fill(dims.begin() + static_cast<std::ptrdiff_t>(axis), dims.end(), 1);
    Array mean = call.make(DType::F32, dims);
    Array inverse = call.make(DType::F32, dims);
    rowStatistics(x, width, epsilon, mean, inverse);
    return {y, mean, inverse};
}

/// x / sqrt(mean(x^2) + epsilon) * scale over the dimensions from `axis` on (arXiv:1910.07467).
std::vector<Array> rmsNormalization(const KernelCall& call)
{
    const Array x = call.denseF32(0);
    const std::size_t axis = call.axis(call.node.intAttribute("axis", -1), x.rank());
    const std::int64_t width = product(x.dims, axis, x.rank());
    const Dims rowDims(x.dims.begin() + static_cast<std::ptrdiff_t>(axis), x.dims.end());
    const Array& given = call.input(1);
    if (given.dtype != DType::F32 || broadcastDims(call.node, given.dims, rowDims) != rowDims) {
        call.fail(ErrorCode::ShapeMismatch,
            "input " + x.shapeText() + " and scale " + given.shapeText() + " do not fit");
    }
    const Array scale = contiguous(broadcastView(given, rowDims), call.pool);
    const auto epsilon = static_cast<float>(call.node.floatAttribute("epsilon", 1e-5));
    Array y = call.make(DType::F32, x.dims);
    parallelFor(product(x.dims, 0, axis),
        std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, width)),
        [&](std::int64_t begin, std::int64_t end) {
            call.context.throwIfCancelled();
            for (std::int64_t row = begin; row < end; ++row) {
                rowFunctions().rmsNorm(
                    x.f32() + row * width, scale.f32(), epsilon, y.f32() + row * width, width);
            }
        });
    return {y};
}

/// Applies rows(in, out, width) along one axis, moved to the end where it is not there.
template<typename Rows>
std::vector<Array> alongAxis(const KernelCall& call, const Rows& rows)
{
    const Array& given = call.input(0);
    if (given.rank() == 0) {
        call.fail(ErrorCode::ShapeMismatch, "a scalar input");
    }
    const std::size_t axis = call.axis(call.node.intAttribute("axis", -1), given.rank());
    std::vector<std::size_t> order(given.rank());
    std::iota(order.begin(), order.end(), std::size_t {0});
    std::swap(order[axis], order.back()); // its own inverse
    const Array moved = permuted(call.denseF32(0), order);
    const Array x = contiguous(moved, call.pool);
    Array y = call.make(DType::F32, x.dims);
    const std::int64_t width = x.dims.back();
    if (width > 0) {
        parallelFor(x.count() / width, std::max<std::int64_t>(1, kGrain / width),
            [&](std::int64_t begin, std::int64_t end) {
                call.context.throwIfCancelled();
                for (std::int64_t row = begin; row < end; ++row) {
                    rows(x.f32() + row * width, y.f32() + row * width, width);
                }
            });
    }
    return {permuted(y, order)};
}

std::vector<Array> softmax(const KernelCall& call)
{
    return alongAxis(call, rowFunctions().softmax);
}

std::vector<Array> logSoftmax(const KernelCall& call)
{
    return alongAxis(call, [](const float* x, float* y, std::int64_t width) {
        const float top = *std::max_element(x, x + width);
        double sum = 0.0;
        for (std::int64_t i = 0; i < width; ++i) {
            sum += std::exp(static_cast<double>(x[i]) - static_cast<double>(top));
        }
        const double shift = static_cast<double>(top) + std::log(sum);
        for (std::int64_t i = 0; i < width; ++i) {
            y[i] = static_cast<float>(static_cast<double>(x[i]) - shift);
        }
    });
}

} // namespace

void addNormalizationKernels(KernelRegistry& registry)
{
    registry.add("LayerNormalization", {layerNormalization});
    registry.add("RMSNormalization", {rmsNormalization});
    registry.add("Softmax", {softmax});
    registry.add("LogSoftmax", {logSoftmax});
}

} // namespace qs
