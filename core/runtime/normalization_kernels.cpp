#include "core/runtime/normalization_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/kernel_registry.h"
#include "core/runtime/row_functions.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace qs {

namespace {

constexpr std::int64_t kGrain = 16384; // elements handed to a thread at once

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
    return {y};
}

void checkLayerNormalization(const Node& node)
{
    if (node.outputs.size() > 1) {
        throw Error(ErrorCode::Unsupported,
            "LayerNormalization '" + node.name + "': the mean and inverse deviation outputs");
    }
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
    registry.add("LayerNormalization", {layerNormalization, checkLayerNormalization});
    registry.add("Softmax", {softmax});
    registry.add("LogSoftmax", {logSoftmax});
}

} // namespace qs
