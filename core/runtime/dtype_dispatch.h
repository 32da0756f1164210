#pragma once

#include "core/base/error.h"
#include "core/tensor/dtype.h"
#include "core/tensor/small_float.h"

#include <optional>
#include <string>

namespace qs {

/// Calls f with a value of the C++ type that arrays of `dtype` hold (Bool as bytes). Half and double never
/// appear in arrays: Array::of makes them F32.
template<typename F>
void dispatchByType(DType dtype, const F& f)
{
    switch (dtype) {
    case DType::F32: f(float {}); return;
    case DType::I8: f(std::int8_t {}); return;
    case DType::U8:
    case DType::Bool: f(std::uint8_t {}); return;
    case DType::I16: f(std::int16_t {}); return;
    case DType::U16: f(std::uint16_t {}); return;
    case DType::I32: f(std::int32_t {}); return;
    case DType::U32: f(std::uint32_t {}); return;
    case DType::I64: f(std::int64_t {}); return;
    case DType::U64: f(std::uint64_t {}); return;
    case DType::F16:
    case DType::BF16:
    case DType::F64: break;
    }
    throw Error(ErrorCode::Internal, "an array of " + std::string(nameOf(dtype)) + " reached a kernel");
}

/// An integer type of fewer than 8 bits, held in an 8-bit one.
struct NarrowInteger
{
    DType storage = DType::I8;
    int bits = 8;
};

/// The integer of fewer than 8 bits behind a TensorProto.DataType number. Empty for others.
[[nodiscard]] inline std::optional<NarrowInteger> narrowIntegerOfOnnx(std::int64_t type)
{
    switch (type) {
    case 21: return NarrowInteger {DType::U8, 4};
    case 22: return NarrowInteger {DType::I8, 4};
    case 25: return NarrowInteger {DType::U8, 2};
    case 26: return NarrowInteger {DType::I8, 2};
    default: return std::nullopt;
    }
}

/// Element type of a TensorProto.DataType number as arrays hold it: all floating-point formats as F32,
/// integers of fewer than 8 bits in 8. Empty for others.
[[nodiscard]] inline std::optional<DType> dtypeOfOnnx(std::int64_t type)
{
    if (const auto narrow = narrowIntegerOfOnnx(type)) {
        return narrow->storage;
    }
    if (smallFloatOfOnnx(type)) {
        return DType::F32;
    }
    switch (type) {
    case 1:
    case 11: return DType::F32;
    case 2: return DType::U8;
    case 3: return DType::I8;
    case 4: return DType::U16;
    case 5: return DType::I16;
    case 6: return DType::I32;
    case 7: return DType::I64;
    case 9: return DType::Bool;
    case 12: return DType::U32;
    case 13: return DType::U64;
    default: return std::nullopt;
    }
}

} // namespace qs
