#include "core/runtime/cast_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/dtype_dispatch.h"
#include "core/runtime/kernel_registry.h"
#include "core/tensor/small_float.h"

#include <cmath>
#include <limits>

namespace qs {

namespace {

constexpr std::int64_t kGrain = 16384; // elements handed to a thread at once

/// Real to integer: toward zero, saturated; NaN becomes 0.
template<typename To, typename From>
To converted(From value)
{
    if constexpr (std::is_same_v<From, float> && !std::is_same_v<To, float>) {
        const auto wide = static_cast<double>(value);
        if (std::isnan(wide)) {
            return To {0};
        }
        if (wide <= static_cast<double>(std::numeric_limits<To>::lowest())) {
            return std::numeric_limits<To>::lowest();
        }
        if (wide >= static_cast<double>(std::numeric_limits<To>::max())) {
            return std::numeric_limits<To>::max();
        }
        return static_cast<To>(wide);
    } else {
        return static_cast<To>(value);
    }
}

/// Applies convert to the dense input's elements.
template<typename From, typename To, typename Convert>
void convertAll(const KernelCall& call, const Array& x, const Array& y, const Convert& convert)
{
    parallelFor(x.count(), kGrain, [&](std::int64_t begin, std::int64_t end) {
        call.context.throwIfCancelled();
        for (std::int64_t i = begin; i < end; ++i) {
            y.as<To>()[i] = convert(x.as<const From>()[i]);
        }
    });
}

std::vector<Array> castTo(const KernelCall& call, DType target)
{
    const Array& given = call.input(0);
    if (given.dtype == target) {
        return {given};
    }
    const Array x = contiguous(given, call.pool);
    Array y = call.make(target, x.dims);
    const bool toBool = target == DType::Bool;
    dispatchByType(x.dtype, [&]<typename From>(From) {
        dispatchByType(target, [&]<typename To>(To) {
            convertAll<From, To>(call, x, y, [toBool](From v) {
                return toBool ? static_cast<To>(v == From {0} ? 0 : 1) : converted<To>(v);
            });
        });
    });
    return {y};
}

/// To a floating-point format narrower than F32: F32 values of which it keeps what that format can hold.
std::vector<Array> castToSmallFloat(const KernelCall& call, SmallFloat format)
{
    const Array x = castTo(call, DType::F32).front();
    const Array dense = contiguous(x, call.pool);
    Array y = call.make(DType::F32, dense.dims);
    const Overflow overflow
        = call.node.intAttribute("saturate", 1) != 0 ? Overflow::Saturate : Overflow::Spill;
    if (format == SmallFloat::E8M0) {
        const std::string mode = call.node.stringAttribute("round_mode", "up");
        const PowerRounding rounding = mode == "up" ? PowerRounding::Up
            : mode == "down"                        ? PowerRounding::Down
                                                    : PowerRounding::Nearest;
        convertAll<float, float>(
            call, dense, y, [=](float v) { return roundedToPower(v, rounding, overflow); });
    } else {
        convertAll<float, float>(
            call, dense, y, [=](float v) { return roundedToSmallFloat(format, v, overflow); });
    }
    return {y};
}

/// To an integer of fewer than 8 bits: toward zero, of which the lowest bits stay, as two's complement has
/// them.
std::vector<Array> castToNarrowInteger(const KernelCall& call, const NarrowInteger& target)
{
    const Array x = contiguous(castTo(call, DType::I32).front(), call.pool);
    Array y = call.make(target.storage, x.dims);
    const std::uint32_t mask = (1U << target.bits) - 1U;
    const bool isSigned = target.storage == DType::I8;
    convertAll<std::int32_t, std::uint8_t>(call, x, y, [=](std::int32_t v) {
        const std::uint32_t low = static_cast<std::uint32_t>(v) & mask;
        const bool negative = isSigned && low > mask / 2U;
        return static_cast<std::uint8_t>(negative ? low | ~mask : low);
    });
    return {y};
}

std::vector<Array> cast(const KernelCall& call)
{
    const std::int64_t to = call.node.intAttribute("to", 0);
    if (const auto format = smallFloatOfOnnx(to)) {
        return castToSmallFloat(call, *format);
    }
    if (const auto narrow = narrowIntegerOfOnnx(to)) {
        return castToNarrowInteger(call, *narrow);
    }
    return castTo(call, dtypeOfOnnx(to).value_or(DType::F32));
}

std::vector<Array> castLike(const KernelCall& call)
{
    return castTo(call, call.input(1).dtype);
}

void checkCast(const Node& node)
{
    const std::int64_t to = node.intAttribute("to", 0);
    if (!dtypeOfOnnx(to)) {
        throw Error(
            ErrorCode::Unsupported, "Cast '" + node.name + "': to element type " + std::to_string(to));
    }
    const std::string mode = node.stringAttribute("round_mode", "up");
    if (mode != "up" && mode != "down" && mode != "nearest") {
        throw Error(ErrorCode::Unsupported, "Cast '" + node.name + "': round_mode = '" + mode + "'");
    }
}

} // namespace

void addCastKernels(KernelRegistry& registry)
{
    registry.add("Cast", {cast, checkCast});
    registry.add("CastLike", {castLike});
}

} // namespace qs
