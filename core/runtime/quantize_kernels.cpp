#include "core/runtime/quantize_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/dtype_dispatch.h"
#include "core/runtime/kernel_registry.h"
#include "core/tensor/small_float.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <type_traits>

namespace qs {

namespace {

constexpr std::int64_t kGrain = 16384; // elements handed to a thread at once

/// Scales and zero points as they run along the input: the scales form [outer, blocks, inner], and one of
/// them serves `block` neighbours along the middle dimension, which has `middle` elements in the input.
struct Scales
{
    Array scale;
    Array zeroPoint; ///< may be invalid: zero
    std::int64_t middle = 1;
    std::int64_t block = 1;
    std::int64_t inner = 1;
    bool sharedOutside = true; ///< true where the scales do not depend on the outer dimensions
};

/// Scales that lie along one axis in blocks: as many dimensions as the input.
void takeBlocks(const KernelCall& call, const Array& x, std::size_t axis, std::int64_t block, Scales& result)
{
    Dims expected = x.dims;
    expected[axis] = block > 0 ? (x.dims[axis] + block - 1) / block : 0;
    if (block < 1 || result.scale.dims != expected) {
        call.fail(ErrorCode::ShapeMismatch,
            "input " + x.shapeText() + " and scale " + result.scale.shapeText() + " in blocks of "
                + std::to_string(block));
    }
    result.block = block;
    result.sharedOutside = false;
}

Scales scalesOf(const KernelCall& call, const Array& x)
{
    Scales result;
    result.scale = call.denseF32(1);
    if (call.has(2)) {
        result.zeroPoint = contiguous(call.input(2), call.pool);
    }
    const std::int64_t count = result.scale.count();
    if (result.zeroPoint.valid() && result.zeroPoint.count() != count) {
        call.fail(ErrorCode::ShapeMismatch,
            "scale " + result.scale.shapeText() + " and zero point " + result.zeroPoint.shapeText());
    }
    result.inner = std::max<std::int64_t>(1, x.count());
    const std::int64_t block = call.node.intAttribute("block_size", 0);
    if (count == 1 && block == 0 && (result.scale.rank() == 0 || x.rank() == 0)) {
        return result;
    }
    const std::size_t axis = call.axis(call.node.intAttribute("axis", 1), std::max<std::size_t>(2, x.rank()));
    if (count == 1 && block == 0 && (axis >= x.rank() || x.dims[axis] != 1)) {
        return result;
    }
    if (axis >= x.rank() || (block == 0 && (result.scale.rank() != 1 || count != x.dims[axis]))) {
        call.fail(ErrorCode::ShapeMismatch,
            "input " + x.shapeText() + " and scale " + result.scale.shapeText() + " along axis "
                + std::to_string(axis));
    }
    result.middle = x.dims[axis];
    result.inner = product(x.dims, axis + 1, x.rank());
    if (block != 0) {
        takeBlocks(call, x, axis, block, result);
    }
    return result;
}

/// Calls body(index of the scale, first element, last element) for runs of one scale, in parallel.
template<typename Body>
void forEachRun(std::int64_t elements, const Scales& scales, const Body& body)
{
    const std::int64_t inner = std::max<std::int64_t>(1, scales.inner);
    const std::int64_t blocks = (scales.middle + scales.block - 1) / scales.block;
    parallelFor(elements, kGrain, [&](std::int64_t begin, std::int64_t end) {
        while (begin < end) {
            const std::int64_t row = begin / inner;
            if (scales.sharedOutside) {
                const std::int64_t last = std::min(end, (row + 1) * inner);
                body(row % scales.middle, begin, last);
                begin = last;
                continue;
            }
            const std::int64_t block = row / scales.middle * blocks + row % scales.middle / scales.block;
            body(block * inner + begin % inner, begin, begin + 1);
            ++begin;
        }
    });
}

/// What codes are held in and which of its values they use.
struct CodeType
{
    DType storage = DType::U8;
    int bits = 0; ///< 0: all of the storage's
    std::optional<SmallFloat> format; ///< codes are floating-point numbers
};

/// From the attribute, which also says what a zero point of a type narrower than ours is; else from the zero
/// point.
CodeType codeType(const KernelCall& call)
{
    const std::int64_t wanted = call.node.intAttribute("output_dtype", 0);
    CodeType type;
    if (const auto narrow = narrowIntegerOfOnnx(wanted)) {
        type = {narrow->storage, narrow->bits, std::nullopt};
    } else if (const auto format = smallFloatOfOnnx(wanted)) {
        type = {DType::F32, 0, format};
    } else if (wanted != 0) {
        type.storage = dtypeOfOnnx(wanted).value_or(DType::U8);
    } else if (call.has(2)) {
        type.storage = call.input(2).dtype;
    }
    if (call.has(2) && call.input(2).dtype != type.storage) {
        call.fail(ErrorCode::InvalidArgument,
            "a zero point of type " + std::string(nameOf(call.input(2).dtype)) + " for codes of another");
    }
    const bool known = type.format || type.storage == DType::U8 || type.storage == DType::I8
        || type.storage == DType::U16 || type.storage == DType::I16;
    if (!known) {
        call.fail(ErrorCode::Unsupported, "codes of type " + std::string(nameOf(type.storage)));
    }
    return type;
}

/// Calls body(scale, zero point, value) -> code for all elements.
template<typename T, typename Body>
void quantizeAll(const Array& x, const Array& y, const Scales& scales, const Body& body)
{
    forEachRun(x.count(), scales, [&](std::int64_t group, std::int64_t begin, std::int64_t end) {
        const float scale = scales.scale.f32()[group];
        const float zero
            = scales.zeroPoint.valid() ? static_cast<float>(scales.zeroPoint.as<const T>()[group]) : 0.0F;
        for (std::int64_t i = begin; i < end; ++i) {
            y.as<T>()[i] = body(scale, zero, x.f32()[i]);
        }
    });
}

/// saturate(round_half_even(x / scale) + zero point); floating-point codes: the number nearest to x / scale.
std::vector<Array> quantizeLinear(const KernelCall& call)
{
    const Array x = call.denseF32(0);
    const Scales scales = scalesOf(call, x);
    const CodeType type = codeType(call);
    Array y = call.make(type.storage, x.dims);
    if (type.format) {
        const Overflow overflow
            = call.node.intAttribute("saturate", 1) != 0 ? Overflow::Saturate : Overflow::Spill;
        quantizeAll<float>(x, y, scales, [&](float scale, float zero, float value) {
            return roundedToSmallFloat(*type.format, value / scale + zero, overflow);
        });
        return {y};
    }
    dispatchByType(type.storage, [&]<typename T>(T) {
        auto lowest = static_cast<float>(std::numeric_limits<T>::lowest());
        auto highest = static_cast<float>(std::numeric_limits<T>::max());
        if (type.bits != 0) {
            const bool isSigned = lowest < 0.0F;
            lowest = isSigned ? -std::ldexp(1.0F, type.bits - 1) : 0.0F;
            highest = std::ldexp(1.0F, isSigned ? type.bits - 1 : type.bits) - 1.0F;
        }
        quantizeAll<T>(x, y, scales, [=](float scale, float zero, float value) {
            const float code = std::nearbyintf(value / scale) + zero;
            return static_cast<T>(code >= lowest ? std::min(code, highest) : lowest); // NaN: lowest
        });
    });
    return {y};
}

/// (code - zero point) * scale
std::vector<Array> dequantizeLinear(const KernelCall& call)
{
    const Array x = contiguous(call.input(0), call.pool);
    const Scales scales = scalesOf(call, x);
    if (scales.zeroPoint.valid() && scales.zeroPoint.dtype != x.dtype) {
        call.fail(ErrorCode::Unsupported, "codes of type " + std::string(nameOf(x.dtype)));
    }
    Array y = call.make(DType::F32, x.dims);
    dispatchByType(x.dtype, [&]<typename T>(T) {
        using Wide = std::conditional_t<std::is_integral_v<T>, std::int64_t, float>;
        forEachRun(x.count(), scales, [&](std::int64_t group, std::int64_t begin, std::int64_t end) {
            const float scale = scales.scale.f32()[group];
            const Wide zero = scales.zeroPoint.valid()
                ? static_cast<Wide>(scales.zeroPoint.as<const T>()[group])
                : Wide {0};
            for (std::int64_t i = begin; i < end; ++i) {
                y.f32()[i] = static_cast<float>(static_cast<Wide>(x.as<const T>()[i]) - zero) * scale;
            }
        });
    });
    return {y};
}

void checkQuantizer(const Node& node)
{
    const std::int64_t type = node.intAttribute("output_dtype", 0);
    if ((type != 0 && !dtypeOfOnnx(type)) || smallFloatOfOnnx(type) == SmallFloat::E8M0) {
        throw Error(
            ErrorCode::Unsupported, node.op + " '" + node.name + "': codes of type " + std::to_string(type));
    }
}

} // namespace

void addQuantizeKernels(KernelRegistry& registry)
{
    registry.add("QuantizeLinear", {quantizeLinear, checkQuantizer});
    registry.add("DequantizeLinear", {dequantizeLinear, checkQuantizer});
}

} // namespace qs
