#include "core/runtime/quantize_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/dtype_dispatch.h"
#include "core/runtime/kernel_registry.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

constexpr std::int64_t kGrain = 16384; // elements handed to a thread at once

/// Scales and zero points as they run along the input: `count` of them, each for `inner` neighbouring
/// elements.
struct Scales
{
    Array scale;
    Array zeroPoint; ///< may be invalid: zero
    std::int64_t count = 1;
    std::int64_t inner = 1;
};

Scales scalesOf(const KernelCall& call, const Array& x)
{
    Scales result;
    result.scale = call.denseF32(1);
    if (call.has(2)) {
        result.zeroPoint = contiguous(call.input(2), call.pool);
    }
    result.count = result.scale.count();
    if (result.zeroPoint.valid() && result.zeroPoint.count() != result.count) {
        call.fail(ErrorCode::ShapeMismatch,
            "scale " + result.scale.shapeText() + " and zero point " + result.zeroPoint.shapeText());
    }
    if (result.count == 1 && (result.scale.rank() == 0 || x.rank() == 0)) {
        result.inner = std::max<std::int64_t>(1, x.count());
        return result;
    }
    const std::size_t axis = call.axis(call.node.intAttribute("axis", 1), std::max<std::size_t>(2, x.rank()));
    if (result.count == 1 && (axis >= x.rank() || x.dims[axis] != 1)) {
        result.inner = std::max<std::int64_t>(1, x.count());
        return result;
    }
    if (result.scale.rank() != 1 || axis >= x.rank() || result.count != x.dims[axis]) {
        call.fail(ErrorCode::ShapeMismatch,
            "input " + x.shapeText() + " and scale " + result.scale.shapeText() + " along axis "
                + std::to_string(axis));
    }
    result.inner = product(x.dims, axis + 1, x.rank());
    return result;
}

/// Calls body(index of the scale, first element, last element) for runs of one scale, in parallel.
template<typename Body>
void forEachRun(std::int64_t elements, const Scales& scales, const Body& body)
{
    const std::int64_t inner = std::max<std::int64_t>(1, scales.inner);
    parallelFor(elements, kGrain, [&](std::int64_t begin, std::int64_t end) {
        while (begin < end) {
            const std::int64_t run = begin / inner;
            const std::int64_t last = std::min(end, (run + 1) * inner);
            body(run % scales.count, begin, last);
            begin = last;
        }
    });
}

DType codeType(const KernelCall& call)
{
    if (call.has(2)) {
        return call.input(2).dtype;
    }
    const std::int64_t wanted = call.node.intAttribute("output_dtype", 0);
    return wanted == 0 ? DType::U8 : dtypeOfOnnx(wanted).value_or(DType::U8);
}

/// saturate(round_half_even(x / scale) + zero point)
std::vector<Array> quantizeLinear(const KernelCall& call)
{
    const Array x = call.denseF32(0);
    const Scales scales = scalesOf(call, x);
    const DType type = codeType(call);
    if (type != DType::U8 && type != DType::I8 && type != DType::U16 && type != DType::I16) {
        call.fail(ErrorCode::Unsupported, "codes of type " + std::string(nameOf(type)));
    }
    Array y = call.make(type, x.dims);
    dispatchByType(type, [&]<typename T>(T) {
        const auto lowest = static_cast<float>(std::numeric_limits<T>::lowest());
        const auto highest = static_cast<float>(std::numeric_limits<T>::max());
        forEachRun(x.count(), scales, [&](std::int64_t group, std::int64_t begin, std::int64_t end) {
            const float scale = scales.scale.f32()[group];
            const float zero
                = scales.zeroPoint.valid() ? static_cast<float>(scales.zeroPoint.as<const T>()[group]) : 0.0F;
            for (std::int64_t i = begin; i < end; ++i) {
                const float code = std::nearbyintf(x.f32()[i] / scale) + zero;
                y.as<T>()[i]
                    = static_cast<T>(code >= lowest ? std::min(code, highest) : lowest); // NaN: lowest
            }
        });
    });
    return {y};
}

/// (code - zero point) * scale
std::vector<Array> dequantizeLinear(const KernelCall& call)
{
    const Array x = contiguous(call.input(0), call.pool);
    const Scales scales = scalesOf(call, x);
    if (x.dtype == DType::F32 || (scales.zeroPoint.valid() && scales.zeroPoint.dtype != x.dtype)) {
        call.fail(ErrorCode::Unsupported, "codes of type " + std::string(nameOf(x.dtype)));
    }
    Array y = call.make(DType::F32, x.dims);
    dispatchByType(x.dtype, [&]<typename T>(T) {
        forEachRun(x.count(), scales, [&](std::int64_t group, std::int64_t begin, std::int64_t end) {
            const float scale = scales.scale.f32()[group];
            const std::int64_t zero = scales.zeroPoint.valid()
                ? static_cast<std::int64_t>(scales.zeroPoint.as<const T>()[group])
                : 0;
            for (std::int64_t i = begin; i < end; ++i) {
                y.f32()[i] = static_cast<float>(static_cast<std::int64_t>(x.as<const T>()[i]) - zero) * scale;
            }
        });
    });
    return {y};
}

void checkBlocks(const Node& node)
{
    if (node.intAttribute("block_size", 0) != 0) {
        throw Error(ErrorCode::Unsupported, node.op + " '" + node.name + "': block_size");
    }
    const std::int64_t type = node.intAttribute("output_dtype", 0);
    if (type != 0 && !dtypeOfOnnx(type)) {
        throw Error(
            ErrorCode::Unsupported, node.op + " '" + node.name + "': codes of type " + std::to_string(type));
    }
}

} // namespace

void addQuantizeKernels(KernelRegistry& registry)
{
    registry.add("QuantizeLinear", {quantizeLinear, checkBlocks});
    registry.add("DequantizeLinear", {dequantizeLinear, checkBlocks});
}

} // namespace qs
