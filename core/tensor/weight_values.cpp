#include "core/tensor/weight_values.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace qs {

namespace {

/// halfToFloat() without branches, so that the loop becomes vector instructions: read as a float of the same
/// exponent bits and times 2^112 a half is exact, but for infinities and NaNs.
struct FromHalf
{
    float operator()(std::uint16_t bits) const
    {
        const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16U;
        const std::uint32_t magnitude = static_cast<std::uint32_t>(bits & 0x7FFFU) << 13U;
        const auto finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112F);
        return std::bit_cast<float>(sign | (magnitude >= 0x0F800000U ? magnitude | 0x7F800000U : finite));
    }
};

struct FromBfloat16
{
    float operator()(std::uint16_t bits) const
    {
        return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16U);
    }
};

template<typename Convert>
void convertPairs(const std::byte* source, std::size_t count, float* target, Convert convert)
{
    for (std::size_t i = 0; i < count; ++i) {
        std::uint16_t bits = 0;
        std::memcpy(&bits, source + 2 * i, sizeof(bits)); // file data need not be aligned
        target[i] = convert(bits);
    }
}

} // namespace

bool isWeightType(DType type)
{
    return type == DType::F32 || type == DType::F16 || type == DType::BF16;
}

void weightsToFloat(DType type, const std::byte* source, std::size_t count, float* target)
{
    if (type == DType::F16) {
        convertPairs(source, count, target, FromHalf());
    } else if (type == DType::BF16) {
        convertPairs(source, count, target, FromBfloat16());
    } else if (count > 0) {
        std::memcpy(target, source, count * sizeof(float));
    }
}

} // namespace qs
