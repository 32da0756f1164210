#include "core/tensor/small_float.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

/// A sign bit, exponentBits, mantissaBits.
struct Layout
{
    int exponentBits;
    int mantissaBits;
    int smallest; ///< exponent of the smallest normal number
    double largest;
    bool hasInfinity;
    bool hasNan;
    bool hasNegativeZero;
};

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Layout layoutOf(SmallFloat format)
{
    switch (format) {
    case SmallFloat::Half: return {5, 10, -14, 65504.0, true, true, true};
    case SmallFloat::BFloat16: return {8, 7, -126, 0x1.FEp127, true, true, true};
    case SmallFloat::E4M3FN: return {4, 3, -6, 448.0, false, true, true};
    case SmallFloat::E4M3FNUZ: return {4, 3, -7, 240.0, false, true, false};
    case SmallFloat::E5M2: return {5, 2, -14, 57344.0, true, true, true};
    case SmallFloat::E5M2FNUZ: return {5, 2, -15, 57344.0, false, true, false};
    case SmallFloat::E2M1: return {2, 1, 0, 6.0, false, false, true};
    case SmallFloat::E8M0: break;
    }
    return {8, 0, -127, 0x1p127, false, true, true};
}

} // namespace

float decodeSmallFloat(SmallFloat format, unsigned code)
{
    if (format == SmallFloat::E8M0) {
        return (code & 255U) == 255U ? kNan : std::ldexp(1.0F, static_cast<int>(code & 255U) - 127);
    }
    const Layout layout = layoutOf(format);
    const unsigned signBit = 1U << static_cast<unsigned>(layout.exponentBits + layout.mantissaBits);
    const unsigned mantissa = code & ((1U << static_cast<unsigned>(layout.mantissaBits)) - 1U);
    const unsigned exponent = (code & (signBit - 1U)) >> static_cast<unsigned>(layout.mantissaBits);
    if (!layout.hasNegativeZero && (code & (2U * signBit - 1U)) == signBit) {
        return kNan;
    }
    const auto implicit
        = static_cast<float>(exponent == 0 ? 0U : 1U << static_cast<unsigned>(layout.mantissaBits));
    const int power
        = layout.smallest + (exponent == 0 ? 0 : static_cast<int>(exponent) - 1) - layout.mantissaBits;
    float magnitude = std::ldexp(implicit + static_cast<float>(mantissa), power);
    if (static_cast<double>(magnitude) > layout.largest) {
        magnitude = layout.hasInfinity && mantissa == 0 ? kInfinity : kNan;
    }
    return (code & signBit) != 0 ? -magnitude : magnitude;
}

float roundedToSmallFloat(SmallFloat format, float x, Overflow overflow)
{
    const Layout layout = layoutOf(format);
    if (std::isnan(x)) {
        return layout.hasNan ? x : 0.0F;
    }
    const bool isNarrow = format != SmallFloat::Half && format != SmallFloat::BFloat16;
    const auto magnitude = std::abs(static_cast<double>(x));
    double rounded = magnitude;
    if (magnitude > 0.0 && std::isfinite(magnitude)) {
        const int exponent = std::max(std::ilogb(magnitude), layout.smallest);
        const double quantum = std::ldexp(1.0, exponent - layout.mantissaBits);
        rounded = std::nearbyint(magnitude / quantum) * quantum; // half to even
    }
    if (rounded > layout.largest) {
        const bool saturates = (overflow == Overflow::Saturate && isNarrow) || !layout.hasNan;
        rounded = saturates ? layout.largest : static_cast<double>(layout.hasInfinity ? kInfinity : kNan);
    }
    if (rounded == 0.0 && !layout.hasNegativeZero) {
        return 0.0F;
    }
    return std::copysign(static_cast<float>(rounded), x);
}

float roundedToPower(float x, PowerRounding rounding, Overflow overflow)
{
    if (std::isnan(x) || x < 0.0F) {
        return kNan;
    }
    constexpr float kSmallest = 0x1p-127F;
    constexpr float kLargest = 0x1p127F;
    const float beyond = overflow == Overflow::Saturate ? kLargest : kNan;
    if (x <= kSmallest) {
        return kSmallest;
    }
    if (std::isinf(x)) {
        return beyond;
    }
    int exponent = 0;
    const float fraction = std::frexp(x, &exponent); // x = fraction * 2^exponent, fraction in [0.5, 1)
    const float below = std::ldexp(0.5F, exponent);
    const bool up = (rounding == PowerRounding::Up && fraction > 0.5F)
        || (rounding == PowerRounding::Nearest && fraction >= 0.75F);
    if (!up) {
        return below;
    }
    return below >= kLargest ? beyond : 2.0F * below;
}

std::optional<SmallFloat> smallFloatOfOnnx(long long dataType)
{
    switch (dataType) {
    case 10: return SmallFloat::Half;
    case 16: return SmallFloat::BFloat16;
    case 17: return SmallFloat::E4M3FN;
    case 18: return SmallFloat::E4M3FNUZ;
    case 19: return SmallFloat::E5M2;
    case 20: return SmallFloat::E5M2FNUZ;
    case 23: return SmallFloat::E2M1;
    case 24: return SmallFloat::E8M0;
    default: return std::nullopt;
    }
}

} // namespace qs
