#include "core/runtime/elementwise_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/broadcast.h"
#include "core/runtime/dtype_dispatch.h"
#include "core/runtime/kernel_registry.h"

#include <cmath>
#include <limits>
#include <type_traits>

namespace qs {

namespace {

constexpr std::int64_t kGrain = 16384; // elements handed to a thread at once

/// out[i] = op(a[i], b[i]) over broadcast operands.
template<typename T, typename R, typename Op>
void combine(const KernelCall& call, const Array& a, const Array& b, const Array& out, Op op)
{
    const BroadcastLoop loop({&a, &b}, out.dims);
    const T* left = a.as<const T>();
    const T* right = b.as<const T>();
    R* target = out.as<R>();
    const std::int64_t sa = loop.innerStride(0);
    const std::int64_t sb = loop.innerStride(1);
    loop.run(kGrain, [&](std::int64_t outOffset, const std::int64_t* offsets, std::int64_t count) {
        call.context.throwIfCancelled();
        const T* x = left + offsets[0];
        const T* y = right + offsets[1];
        R* z = target + outOffset;
        if (sa == 1 && sb == 1) {
            for (std::int64_t i = 0; i < count; ++i) {
                z[i] = op(x[i], y[i]);
            }
        } else if (sa == 1 && sb == 0) {
            const T fixed = *y;
            for (std::int64_t i = 0; i < count; ++i) {
                z[i] = op(x[i], fixed);
            }
        } else {
            for (std::int64_t i = 0; i < count; ++i) {
                z[i] = op(x[i * sa], y[i * sb]);
            }
        }
    });
}

/// Integers wrap around instead of overflowing.
template<typename T, typename Op>
T wrapped(T a, T b, Op op)
{
    if constexpr (std::is_integral_v<T>) {
        return static_cast<T>(op(static_cast<std::uint64_t>(a), static_cast<std::uint64_t>(b)));
    } else {
        return op(a, b);
    }
}

struct Add
{
    template<typename T>
    T operator()(T a, T b) const
    {
        return wrapped(a, b, [](auto x, auto y) { return x + y; });
    }
};
struct Sub
{
    template<typename T>
    T operator()(T a, T b) const
    {
        return wrapped(a, b, [](auto x, auto y) { return x - y; });
    }
};
struct Mul
{
    template<typename T>
    T operator()(T a, T b) const
    {
        return wrapped(a, b, [](auto x, auto y) { return x * y; });
    }
};
struct Div
{
    /// Integers toward zero; by zero: 0.
    template<typename T>
    T operator()(T a, T b) const
    {
        if constexpr (std::is_integral_v<T>) {
            if (b == 0) {
                return 0;
            }
            if constexpr (std::is_signed_v<T>) {
                if (b == T {-1}) {
                    return Sub()(T {0}, a);
                }
            }
        }
        return static_cast<T>(a / b);
    }
};
struct Mod
{
    /// Sign of the divisor for integers, of the dividend for floats (fmod).
    template<typename T>
    T operator()(T a, T b) const
    {
        if constexpr (std::is_integral_v<T>) {
            if (b == 0 || (std::is_signed_v<T> && b == static_cast<T>(-1))) {
                return 0;
            }
            const T rest = static_cast<T>(a % b);
            return rest != 0 && ((rest < 0) != (b < 0)) ? static_cast<T>(rest + b) : rest;
        } else {
            return std::fmod(a, b);
        }
    }
};
struct Min
{
    template<typename T>
    T operator()(T a, T b) const
    {
        return a != a ? a : (b < a || b != b ? b : a);
    }
};
struct Max
{
    template<typename T>
    T operator()(T a, T b) const
    {
        return a != a ? a : (a < b || b != b ? b : a);
    }
};
struct Pow
{
    template<typename T>
    T operator()(T a, T b) const
    {
        if constexpr (std::is_same_v<T, float>) {
            return b == 2.0F ? a * a : (b == 0.5F ? std::sqrt(a) : std::pow(a, b));
        } else {
            return static_cast<T>(std::pow(static_cast<double>(a), static_cast<double>(b)));
        }
    }
};
struct Less
{
    template<typename T>
    std::uint8_t operator()(T a, T b) const
    {
        return a < b ? 1 : 0;
    }
};
struct LessOrEqual
{
    template<typename T>
    std::uint8_t operator()(T a, T b) const
    {
        return a <= b ? 1 : 0;
    }
};
struct Greater
{
    template<typename T>
    std::uint8_t operator()(T a, T b) const
    {
        return a > b ? 1 : 0;
    }
};
struct GreaterOrEqual
{
    template<typename T>
    std::uint8_t operator()(T a, T b) const
    {
        return a >= b ? 1 : 0;
    }
};
struct Equal
{
    template<typename T>
    std::uint8_t operator()(T a, T b) const
    {
        return a == b ? 1 : 0;
    }
};
struct And
{
    std::uint8_t operator()(std::uint8_t a, std::uint8_t b) const { return a != 0 && b != 0 ? 1 : 0; }
};
struct Or
{
    std::uint8_t operator()(std::uint8_t a, std::uint8_t b) const { return a != 0 || b != 0 ? 1 : 0; }
};
struct Xor
{
    std::uint8_t operator()(std::uint8_t a, std::uint8_t b) const { return (a != 0) != (b != 0) ? 1 : 0; }
};

void requireSameType(const KernelCall& call, const Array& a, const Array& b)
{
    if (a.dtype != b.dtype) {
        call.fail(ErrorCode::Unsupported,
            "operands of types " + std::string(nameOf(a.dtype)) + " and " + std::string(nameOf(b.dtype)));
    }
}

template<typename Op>
Array arithmeticOf(const KernelCall& call, const Array& a, const Array& b)
{
    requireSameType(call, a, b);
    Array out = call.make(a.dtype, broadcastDims(call.node, a.dims, b.dims));
    dispatchByType(a.dtype, [&]<typename T>(T) { combine<T, T>(call, a, b, out, Op()); });
    return out;
}

template<typename Op>
std::vector<Array> arithmetic(const KernelCall& call)
{
    return {arithmeticOf<Op>(call, call.input(0), call.input(1))};
}

/// Min, Max, Sum: any number of operands, from the left.
template<typename Op>
std::vector<Array> fold(const KernelCall& call)
{
    Array result = call.input(0);
    for (std::size_t i = 1; i < call.inputs.size(); ++i) {
        result = arithmeticOf<Op>(call, result, call.input(i));
    }
    return {result};
}

template<typename Op>
std::vector<Array> comparison(const KernelCall& call)
{
    const Array& a = call.input(0);
    const Array& b = call.input(1);
    requireSameType(call, a, b);
    Array out = call.make(DType::Bool, broadcastDims(call.node, a.dims, b.dims));
    dispatchByType(a.dtype, [&]<typename T>(T) { combine<T, std::uint8_t>(call, a, b, out, Op()); });
    return {out};
}

template<typename Op>
std::vector<Array> logical(const KernelCall& call)
{
    const Array& a = call.input(0);
    const Array& b = call.input(1);
    if (a.dtype != DType::Bool || b.dtype != DType::Bool) {
        call.fail(ErrorCode::Unsupported, "operands that are not BOOL");
    }
    Array out = call.make(DType::Bool, broadcastDims(call.node, a.dims, b.dims));
    combine<std::uint8_t, std::uint8_t>(call, a, b, out, Op());
    return {out};
}

std::vector<Array> power(const KernelCall& call)
{
    const Array& a = call.input(0);
    Array b = contiguous(call.input(1), call.pool);
    if (b.dtype != a.dtype) { // ONNX allows an exponent of another type
        Array same = call.make(a.dtype, b.dims);
        dispatchByType(b.dtype, [&]<typename From>(From) {
            dispatchByType(a.dtype, [&]<typename To>(To) {
                for (std::int64_t i = 0; i < b.count(); ++i) {
                    same.as<To>()[i] = static_cast<To>(b.as<const From>()[i]);
                }
            });
        });
        b = same;
    }
    return {arithmeticOf<Pow>(call, a, b)};
}

std::vector<Array> modulo(const KernelCall& call)
{
    if (call.input(0).dtype == DType::F32 && call.node.intAttribute("fmod", 0) == 0) {
        call.fail(ErrorCode::InvalidArgument, "floating-point operands need fmod = 1");
    }
    return arithmetic<Mod>(call);
}

std::vector<Array> where(const KernelCall& call)
{
    const Array& condition = call.input(0);
    const Array& a = call.input(1);
    const Array& b = call.input(2);
    requireSameType(call, a, b);
    if (condition.dtype != DType::Bool) {
        call.fail(ErrorCode::Unsupported, "a condition that is not BOOL");
    }
    const Dims dims = broadcastDims(call.node, condition.dims, broadcastDims(call.node, a.dims, b.dims));
    Array out = call.make(a.dtype, dims);
    const BroadcastLoop loop({&condition, &a, &b}, dims);
    dispatchByType(a.dtype, [&]<typename T>(T) {
        loop.run(kGrain, [&](std::int64_t outOffset, const std::int64_t* offsets, std::int64_t count) {
            const std::uint8_t* c = condition.as<const std::uint8_t>() + offsets[0];
            const T* x = a.as<const T>() + offsets[1];
            const T* y = b.as<const T>() + offsets[2];
            T* z = out.as<T>() + outOffset;
            for (std::int64_t i = 0; i < count; ++i) {
                z[i] = c[i * loop.innerStride(0)] != 0 ? x[i * loop.innerStride(1)]
                                                       : y[i * loop.innerStride(2)];
            }
        });
    });
    return {out};
}

/// A bound from the input (opset 11 on), the attribute (before), or none.
template<typename T>
T bound(const KernelCall& call, std::size_t input, const char* attribute, T fallback)
{
    if (call.has(input)) {
        if (call.input(input).count() != 1) {
            call.fail(ErrorCode::ShapeMismatch, "a bound of shape " + call.input(input).shapeText());
        }
        return *call.input(input).as<const T>();
    }
    if (call.node.attributes.contains(attribute)) {
        return static_cast<T>(call.node.floatAttribute(attribute, 0.0));
    }
    return fallback;
}

std::vector<Array> clip(const KernelCall& call)
{
    const Array x = contiguous(call.input(0), call.pool);
    for (std::size_t i = 1; i < 3; ++i) {
        if (call.has(i)) {
            requireSameType(call, x, call.input(i));
        }
    }
    Array y = call.make(x.dtype, x.dims);
    dispatchByType(x.dtype, [&]<typename T>(T) {
        const T lower = bound<T>(call, 1, "min", std::numeric_limits<T>::lowest());
        const T upper = bound<T>(call, 2, "max", std::numeric_limits<T>::max());
        const bool hasLower = call.has(1) || call.node.attributes.contains("min");
        const bool hasUpper = call.has(2) || call.node.attributes.contains("max");
        parallelFor(x.count(), kGrain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                T v = x.as<const T>()[i];
                v = hasLower && v < lower ? lower : v;
                y.as<T>()[i] = hasUpper && v > upper ? upper : v;
            }
        });
    });
    return {y};
}

} // namespace

void addElementwiseKernels(KernelRegistry& registry)
{
    registry.add("Add", {arithmetic<Add>});
    registry.add("Sub", {arithmetic<Sub>});
    registry.add("Mul", {arithmetic<Mul>});
    registry.add("Div", {arithmetic<Div>});
    registry.add("Mod", {modulo});
    registry.add("Pow", {power});
    registry.add("Min", {fold<Min>});
    registry.add("Max", {fold<Max>});
    registry.add("Sum", {fold<Add>});
    registry.add("Less", {comparison<Less>});
    registry.add("LessOrEqual", {comparison<LessOrEqual>});
    registry.add("Greater", {comparison<Greater>});
    registry.add("GreaterOrEqual", {comparison<GreaterOrEqual>});
    registry.add("Equal", {comparison<Equal>});
    registry.add("And", {logical<And>});
    registry.add("Or", {logical<Or>});
    registry.add("Xor", {logical<Xor>});
    registry.add("Where", {where});
    registry.add("Clip", {clip});
}

} // namespace qs
