#include "core/runtime/integer_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/broadcast.h"
#include "core/runtime/dtype_dispatch.h"
#include "core/runtime/kernel_registry.h"
#include "core/runtime/window.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

Array multiplyIntegers(const KernelCall& call, const Array& a, const Array& b)
{
    if (a.rank() < 2 || b.rank() < 2 || a.dims.back() != b.dims[b.rank() - 2]) {
        call.fail(
            ErrorCode::ShapeMismatch, "operands " + a.shapeText() + " and " + b.shapeText() + " do not fit");
    }
    const std::int64_t m = a.dims[a.rank() - 2];
    const std::int64_t k = a.dims.back();
    const std::int64_t n = b.dims.back();
    const Dims batch = broadcastDims(
        call.node, Dims(a.dims.begin(), a.dims.end() - 2), Dims(b.dims.begin(), b.dims.end() - 2));
    const auto spread = [&](const Array& array) {
        Dims dims = batch;
        dims.insert(dims.end(), array.dims.end() - 2, array.dims.end());
        return contiguous(broadcastView(array, dims), call.pool);
    };
    const Array left = spread(a);
    const Array right = spread(b);
    Dims dims = batch;
    dims.insert(dims.end(), {m, n});
    Array y = call.make(DType::I32, dims);
    parallelFor(product(batch, 0, batch.size()) * m, 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            call.context.throwIfCancelled();
            const auto* x = left.as<const std::uint32_t>() + row * k;
            const auto* w = right.as<const std::uint32_t>() + row / m * k * n;
            auto* out = y.as<std::uint32_t>() + row * n;
            std::fill_n(out, n, 0U);
            for (std::int64_t i = 0; i < k; ++i) {
                for (std::int64_t j = 0; j < n; ++j) {
                    out[j] += x[i] * w[i * n + j];
                }
            }
        }
    });
    return y;
}

namespace {

/// An 8-bit input less its zero point, as 32-bit integers, densely stored. The zero point is one number, or
/// one for each index along `axis`.
Array centred(const KernelCall& call, std::size_t index, std::size_t zeroIndex, std::size_t axis)
{
    const Array x = contiguous(call.input(index), call.pool);
    if (x.dtype != DType::U8 && x.dtype != DType::I8) {
        call.fail(ErrorCode::Unsupported,
            "input " + std::to_string(index) + " is " + std::string(nameOf(x.dtype)) + ", not 8 bits");
    }
    Array zero = call.has(zeroIndex) ? contiguous(call.input(zeroIndex), call.pool) : Array();
    std::int64_t inner = 1;
    if (zero.valid() && zero.count() != 1) {
        if (axis >= x.rank() || zero.count() != x.dims[axis]) {
            call.fail(
                ErrorCode::ShapeMismatch, "zero point " + zero.shapeText() + " of input " + x.shapeText());
        }
        inner = product(x.dims, axis + 1, x.rank());
    }
    if (zero.valid() && zero.dtype != x.dtype) {
        call.fail(ErrorCode::Unsupported, "a zero point of type " + std::string(nameOf(zero.dtype)));
    }
    Array y = call.make(DType::I32, x.dims);
    dispatchByType(x.dtype, [&]<typename T>(T) {
        const std::int64_t zeros = zero.valid() ? zero.count() : 1;
        for (std::int64_t i = 0; i < x.count(); ++i) {
            const auto offset
                = zero.valid() ? static_cast<std::int32_t>(zero.as<const T>()[i / inner % zeros]) : 0;
            y.as<std::int32_t>()[i] = static_cast<std::int32_t>(x.as<const T>()[i]) - offset;
        }
    });
    return y;
}

/// x [B, C, spatial...] with weight [outputs, C / groups, kernel...], both 32-bit integers.
Array convolved(const KernelCall& call, const Array& x, const Array& weight)
{
    if (weight.rank() != x.rank() || weight.rank() < 3) {
        call.fail(ErrorCode::ShapeMismatch, "input " + x.shapeText() + " and weight " + weight.shapeText());
    }
    const Window window = windowOf(call, x, Dims(weight.dims.begin() + 2, weight.dims.end()));
    const std::int64_t groups = call.node.intAttribute("group", 1);
    const std::int64_t outputs = weight.dims[0];
    const std::int64_t channels = weight.dims[1];
    if (groups < 1 || outputs % groups != 0 || channels * groups != x.dims[1]) {
        call.fail(ErrorCode::ShapeMismatch,
            "input " + x.shapeText() + " and weight " + weight.shapeText() + " in " + std::to_string(groups)
                + " groups");
    }
    const std::int64_t taps = window.kernel[0] * window.kernel[1] * window.kernel[2];
    Array y = call.make(DType::I32, window.resultDims(x.dims[0], outputs));
    parallelFor(x.dims[0] * outputs, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t plane = begin; plane < end; ++plane) {
            call.context.throwIfCancelled();
            const std::int64_t output = plane % outputs;
            const std::int64_t firstChannel = output / (outputs / groups) * channels;
            const auto* sample = x.as<const std::uint32_t>()
                + (plane / outputs * x.dims[1] + firstChannel) * window.inputSize();
            const auto* taken = weight.as<const std::uint32_t>() + output * channels * taps;
            for (std::int64_t position = 0; position < window.positions(); ++position) {
                std::uint32_t sum = 0;
                for (std::int64_t c = 0; c < channels; ++c) {
                    window.forEachInside(position, [&](std::int64_t tap, std::int64_t offset) {
                        sum += sample[c * window.inputSize() + offset] * taken[c * taps + tap];
                    });
                }
                y.as<std::uint32_t>()[plane * window.positions() + position] = sum;
            }
        }
    });
    return y;
}

/// The scale of input or output: one number as double.
double scalarScale(const KernelCall& call, std::size_t index)
{
    const Array scale = call.denseF32(index);
    if (scale.count() != 1) {
        call.fail(
            ErrorCode::Unsupported, "scale " + scale.shapeText() + " of input " + std::to_string(index));
    }
    return static_cast<double>(*scale.f32());
}

/// Sums to codes: saturate(round_half_even(sum * x scale * w scale / y scale) + zero point). The weight's
/// scale is one number or one for each of `count` indices, each for `inner` neighbouring sums.
Array requantized(const KernelCall& call, const Array& sums, std::size_t xScale, std::size_t wScale,
    std::size_t yScale, std::int64_t count, std::int64_t inner)
{
    const Array weightScale = call.denseF32(wScale);
    const Array& zero = call.input(yScale + 1);
    if ((weightScale.count() != 1 && weightScale.count() != count) || zero.count() != 1
        || (zero.dtype != DType::U8 && zero.dtype != DType::I8)) {
        call.fail(ErrorCode::ShapeMismatch,
            "scale " + weightScale.shapeText() + " and zero point " + zero.shapeText() + " of the sums "
                + sums.shapeText());
    }
    const double ratio = scalarScale(call, xScale) / scalarScale(call, yScale);
    Array y = call.make(zero.dtype, sums.dims);
    dispatchByType(zero.dtype, [&]<typename T>(T) {
        const auto lowest = static_cast<double>(std::numeric_limits<T>::lowest());
        const auto highest = static_cast<double>(std::numeric_limits<T>::max());
        const auto offset = static_cast<double>(*zero.as<const T>());
        for (std::int64_t i = 0; i < sums.count(); ++i) {
            const std::int64_t group = weightScale.count() == 1 ? 0 : i / inner % count;
            const double scale = ratio * static_cast<double>(weightScale.f32()[group]);
            const double code
                = std::nearbyint(static_cast<double>(sums.as<std::int32_t>()[i]) * scale) + offset;
            y.as<T>()[i] = static_cast<T>(code >= lowest ? std::min(code, highest) : lowest);
        }
    });
    return y;
}

std::vector<Array> matMulInteger(const KernelCall& call)
{
    const Array& a = call.input(0);
    const Array& b = call.input(1);
    return {multiplyIntegers(call, centred(call, 0, 2, a.rank() - 2), centred(call, 1, 3, b.rank() - 1))};
}

std::vector<Array> qlinearMatMul(const KernelCall& call)
{
    const Array& a = call.input(0);
    const Array& b = call.input(3);
    const Array sums
        = multiplyIntegers(call, centred(call, 0, 2, a.rank() - 2), centred(call, 3, 5, b.rank() - 1));
    return {requantized(call, sums, 1, 4, 6, sums.dims.back(), 1)};
}

std::vector<Array> convInteger(const KernelCall& call)
{
    return {convolved(call, centred(call, 0, 2, 1), centred(call, 1, 3, 0))};
}

std::vector<Array> qlinearConv(const KernelCall& call)
{
    const Array sums = convolved(call, centred(call, 0, 2, 1), centred(call, 3, 5, 0));
    const std::int64_t outputs = sums.dims[1];
    const std::int64_t inner = product(sums.dims, 2, sums.rank());
    if (call.has(8)) {
        const Array bias = contiguous(call.input(8), call.pool);
        if (bias.dtype != DType::I32 || bias.count() != outputs) {
            call.fail(ErrorCode::ShapeMismatch,
                "bias " + bias.shapeText() + " of " + std::to_string(outputs) + " outputs");
        }
        for (std::int64_t i = 0; i < sums.count(); ++i) {
            sums.as<std::uint32_t>()[i] += bias.as<std::uint32_t>()[i / inner % outputs];
        }
    }
    return {requantized(call, sums, 1, 4, 6, outputs, inner)};
}

/// 8-bit codes of the whole tensor's range, which is made to contain 0.
std::vector<Array> dynamicQuantizeLinear(const KernelCall& call)
{
    const Array x = call.denseF32(0);
    float lowest = 0.0F;
    float highest = 0.0F;
    for (std::int64_t i = 0; i < x.count(); ++i) {
        lowest = std::min(lowest, x.f32()[i]);
        highest = std::max(highest, x.f32()[i]);
    }
    const float scale = highest > lowest ? (highest - lowest) / 255.0F : 1.0F;
    const float zero = std::clamp(std::nearbyintf(-lowest / scale), 0.0F, 255.0F);
    Array y = call.make(DType::U8, x.dims);
    for (std::int64_t i = 0; i < x.count(); ++i) {
        const float code = std::nearbyintf(x.f32()[i] / scale) + zero;
        y.as<std::uint8_t>()[i] = static_cast<std::uint8_t>(code >= 0.0F ? std::min(code, 255.0F) : 0.0F);
    }
    Array scaleOut = call.make(DType::F32, {});
    Array zeroOut = call.make(DType::U8, {});
    *scaleOut.f32() = scale;
    *zeroOut.as<std::uint8_t>() = static_cast<std::uint8_t>(zero);
    return {y, scaleOut, zeroOut};
}

} // namespace

void addIntegerKernels(KernelRegistry& registry)
{
    registry.add("MatMulInteger", {matMulInteger});
    registry.add("QLinearMatMul", {qlinearMatMul});
    registry.add("ConvInteger", {convInteger});
    registry.add("QLinearConv", {qlinearConv});
    registry.add("DynamicQuantizeLinear", {dynamicQuantizeLinear});
}

} // namespace qs
