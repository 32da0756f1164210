#include "core/runtime/unary_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/dtype_dispatch.h"
#include "core/runtime/kernel_registry.h"
#include "core/runtime/row_functions.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

constexpr std::int64_t kGrain = 16384; // elements handed to a thread at once

/// Applies rows(in, out, count) to ranges of a dense F32 input.
template<typename Rows>
std::vector<Array> overF32(const KernelCall& call, const Rows& rows)
{
    const Array x = call.denseF32(0);
    Array y = call.make(DType::F32, x.dims);
    parallelFor(x.count(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        call.context.throwIfCancelled();
        rows(x.f32() + begin, y.f32() + begin, end - begin);
    });
    return {y};
}

template<auto Function>
std::vector<Array> rowFunction(const KernelCall& call)
{
    return overF32(call, rowFunctions().*Function);
}

template<float (*Function)(float)>
std::vector<Array> scalarFunction(const KernelCall& call)
{
    return overF32(call, [](const float* x, float* y, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            y[i] = Function(x[i]);
        }
    });
}

float sqrtOf(float x)
{
    return std::sqrt(x);
}
float logOf(float x)
{
    return std::log(x);
}
float roundOf(float x)
{
    return std::nearbyintf(x);
} // half to even
float floorOf(float x)
{
    return std::floor(x);
}
float ceilOf(float x)
{
    return std::ceil(x);
}
float reciprocalOf(float x)
{
    return 1.0F / x;
}
float sinOf(float x)
{
    return std::sin(x);
}
float cosOf(float x)
{
    return std::cos(x);
}
float softplusOf(float x)
{
    return x > 20.0F ? x : std::log1p(std::exp(x));
}

std::vector<Array> gelu(const KernelCall& call)
{
    return call.node.stringAttribute("approximate", "none") == "tanh"
        ? rowFunction<&RowFunctions::geluTanh>(call)
        : rowFunction<&RowFunctions::gelu>(call);
}

void checkGelu(const Node& node)
{
    const std::string kind = node.stringAttribute("approximate", "none");
    if (kind != "none" && kind != "tanh") {
        throw Error(ErrorCode::Unsupported, "Gelu '" + node.name + "': approximate = '" + kind + "'");
    }
}

enum class Sign { Absolute, Negative, Direction };

template<Sign What>
std::vector<Array> signFunction(const KernelCall& call)
{
    const Array x = contiguous(call.input(0), call.pool);
    Array y = call.make(x.dtype, x.dims);
    dispatchByType(x.dtype, [&]<typename T>(T) {
        const T* in = x.as<const T>();
        T* out = y.as<T>();
        for (std::int64_t i = 0; i < x.count(); ++i) {
            const T v = in[i];
            const T minus = static_cast<T>(T {0} - v);
            if constexpr (What == Sign::Absolute) {
                out[i] = std::is_same_v<T, float> ? static_cast<T>(std::abs(static_cast<float>(v)))
                                                  : (v < T {0} ? minus : v);
            } else if constexpr (What == Sign::Negative) {
                out[i] = std::is_same_v<T, float> ? static_cast<T>(-v) : minus;
            } else {
                out[i] = v > T {0} ? T {1} : (v < T {0} ? static_cast<T>(T {0} - T {1}) : v);
            }
        }
    });
    return {y};
}

std::vector<Array> logicalNot(const KernelCall& call)
{
    const Array x = contiguous(call.input(0), call.pool);
    if (x.dtype != DType::Bool) {
        call.fail(ErrorCode::Unsupported, "its input is " + std::string(nameOf(x.dtype)) + ", not BOOL");
    }
    Array y = call.make(DType::Bool, x.dims);
    for (std::int64_t i = 0; i < x.count(); ++i) {
        y.as<std::uint8_t>()[i] = x.as<std::uint8_t>()[i] == 0 ? 1 : 0;
    }
    return {y};
}

std::vector<Array> leakyRelu(const KernelCall& call)
{
    const auto alpha = static_cast<float>(call.node.floatAttribute("alpha", 0.01));
    return overF32(call, [alpha](const float* x, float* y, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            y[i] = x[i] < 0.0F ? alpha * x[i] : x[i];
        }
    });
}

/// x * sigmoid(alpha * x)
std::vector<Array> swish(const KernelCall& call)
{
    const auto alpha = static_cast<float>(call.node.floatAttribute("alpha", 1.0));
    const auto sigmoid = rowFunctions().sigmoid;
    return overF32(call, [=](const float* x, float* y, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            y[i] = alpha * x[i];
        }
        sigmoid(y, y, count);
        for (std::int64_t i = 0; i < count; ++i) {
            y[i] *= x[i];
        }
    });
}

float hardSigmoidOf(float x, float alpha, float beta)
{
    return std::max(0.0F, std::min(1.0F, alpha * x + beta));
}

std::vector<Array> hardSigmoid(const KernelCall& call)
{
    const auto alpha = static_cast<float>(call.node.floatAttribute("alpha", 0.2));
    const auto beta = static_cast<float>(call.node.floatAttribute("beta", 0.5));
    return overF32(call, [=](const float* x, float* y, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            y[i] = hardSigmoidOf(x[i], alpha, beta);
        }
    });
}

std::vector<Array> hardSwish(const KernelCall& call)
{
    return overF32(call, [](const float* x, float* y, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            y[i] = x[i] * hardSigmoidOf(x[i], 1.0F / 6.0F, 0.5F);
        }
    });
}

std::vector<Array> elu(const KernelCall& call)
{
    const auto alpha = static_cast<float>(call.node.floatAttribute("alpha", 1.0));
    return overF32(call, [alpha](const float* x, float* y, std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) {
            y[i] = x[i] < 0.0F ? alpha * std::expm1(x[i]) : x[i];
        }
    });
}

} // namespace

void addUnaryKernels(KernelRegistry& registry)
{
    registry.add("Erf", {rowFunction<&RowFunctions::erf>});
    registry.add("Exp", {rowFunction<&RowFunctions::exp>});
    registry.add("Tanh", {rowFunction<&RowFunctions::tanh>});
    registry.add("Sigmoid", {rowFunction<&RowFunctions::sigmoid>});
    registry.add("Relu", {rowFunction<&RowFunctions::relu>});
    registry.add("LeakyRelu", {leakyRelu});
    registry.add("Gelu", {gelu, checkGelu});
    registry.add("Sqrt", {scalarFunction<sqrtOf>});
    registry.add("Log", {scalarFunction<logOf>});
    registry.add("Round", {scalarFunction<roundOf>});
    registry.add("Floor", {scalarFunction<floorOf>});
    registry.add("Ceil", {scalarFunction<ceilOf>});
    registry.add("Reciprocal", {scalarFunction<reciprocalOf>});
    registry.add("Sin", {scalarFunction<sinOf>});
    registry.add("Cos", {scalarFunction<cosOf>});
    registry.add("Softplus", {scalarFunction<softplusOf>});
    registry.add("Abs", {signFunction<Sign::Absolute>});
    registry.add("Neg", {signFunction<Sign::Negative>});
    registry.add("Sign", {signFunction<Sign::Direction>});
    registry.add("Not", {logicalNot});
    registry.add("Swish", {swish});
    registry.add("HardSwish", {hardSwish});
    registry.add("HardSigmoid", {hardSigmoid});
    registry.add("Elu", {elu});
}

} // namespace qs
