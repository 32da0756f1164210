#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qs {

/// Element types of stored tensors. Arithmetic happens in F32; the others are storage and indices.
enum class DType : std::uint8_t { F32, F16, BF16, F64, I8, U8, I16, U16, I32, U32, I64, U64, Bool };

/// Bytes per element.
[[nodiscard]] std::size_t sizeOf(DType type);
/// Upper-case name as in safetensors headers ("F32", "BF16", "BOOL").
[[nodiscard]] std::string_view nameOf(DType type);

/// IEEE binary16 and bfloat16 bit patterns to float, exact.
[[nodiscard]] float halfToFloat(std::uint16_t bits);
[[nodiscard]] float bfloat16ToFloat(std::uint16_t bits);

template<typename T>
struct DTypeOf;
template<>
struct DTypeOf<float>
{
    static constexpr DType value = DType::F32;
};
template<>
struct DTypeOf<double>
{
    static constexpr DType value = DType::F64;
};
template<>
struct DTypeOf<std::int8_t>
{
    static constexpr DType value = DType::I8;
};
template<>
struct DTypeOf<std::uint8_t>
{
    static constexpr DType value = DType::U8;
};
template<>
struct DTypeOf<std::int16_t>
{
    static constexpr DType value = DType::I16;
};
template<>
struct DTypeOf<std::uint16_t>
{
    static constexpr DType value = DType::U16;
};
template<>
struct DTypeOf<std::int32_t>
{
    static constexpr DType value = DType::I32;
};
template<>
struct DTypeOf<std::uint32_t>
{
    static constexpr DType value = DType::U32;
};
template<>
struct DTypeOf<std::int64_t>
{
    static constexpr DType value = DType::I64;
};
template<>
struct DTypeOf<std::uint64_t>
{
    static constexpr DType value = DType::U64;
};
template<>
struct DTypeOf<bool>
{
    static constexpr DType value = DType::Bool;
};

} // namespace qs
