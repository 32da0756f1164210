#include "core/quant/scale.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

constexpr float kSmallestConstant = 1e-8F;
/// Logarithmic bases stay this far above the smallest normal float, so that the first thresholds are normal
/// too.
constexpr float kSmallestBase = 1e-30F;

float normal(float step)
{
    return std::clamp(step, std::numeric_limits<float>::min(), std::numeric_limits<float>::max());
}

Scale constantScale(Symmetry symmetry, std::int32_t topCode, float constant)
{
    Scale scale;
    scale.step = normal(std::max(std::abs(constant), kSmallestConstant) / static_cast<float>(topCode));
    scale.zeroPoint = symmetry == Symmetry::Asymmetric && constant < 0.0F ? topCode : 0;
    return scale;
}

Scale asymmetricScale(std::int32_t topCode, float lower, float upper)
{
    const auto levels = static_cast<float>(topCode);
    float step = (upper - lower) / levels;
    if (!std::isfinite(step)) { // the width of the interval is beyond float, its steps are not
        step = upper / levels - lower / levels;
    }
    const float farthest = std::max(std::abs(lower), std::abs(upper));
    step = normal(std::max(step, farthest / static_cast<float>(kMaxZeroPoint)));
    return {step, static_cast<std::int32_t>(std::nearbyint(-lower / step))};
}

} // namespace

Scale scaleForBounds(QuantizerKind kind, Symmetry symmetry, int bits, const Bounds& bounds)
{
    constexpr double kLargest = std::numeric_limits<float>::max();
    const auto lower = static_cast<float>(std::clamp(bounds.lower, -kLargest, kLargest));
    const auto upper = static_cast<float>(std::clamp(bounds.upper, -kLargest, kLargest));
    if (kind != QuantizerKind::Uniform) {
        return {upper > 0.0F ? std::max(upper, kSmallestBase) : 1.0F, 0};
    }
    const std::int32_t topCode
        = (std::int32_t {1} << (symmetry == Symmetry::Symmetric ? bits - 1 : bits)) - 1;
    if (!(lower < upper)) {
        return constantScale(symmetry, topCode, upper);
    }
    if (symmetry == Symmetry::Symmetric) {
        const float largest = std::max(std::abs(lower), std::abs(upper));
        return {normal(largest / static_cast<float>(topCode)), 0};
    }
    return asymmetricScale(topCode, lower, upper);
}

Bounds boundsForScale(Symmetry symmetry, int bits, const Scale& scale)
{
    constexpr int kFarthest = 4; // floats to either side
    const bool symmetric = symmetry == Symmetry::Symmetric;
    const std::int32_t topCode = (std::int32_t {1} << (symmetric ? bits - 1 : bits)) - 1;
    const auto step = static_cast<double>(scale.step);
    const auto moved = [](double value, int floats) {
        auto result = static_cast<float>(value);
        const float towards
            = std::copysign(std::numeric_limits<float>::infinity(), static_cast<float>(floats));
        for (int i = 0; i < std::abs(floats); ++i) {
            result = std::nextafter(result, towards);
        }
        return static_cast<double>(result);
    };
    const double lowest = symmetric ? -topCode * step : 0.0 - scale.zeroPoint * step;
    const double highest = symmetric ? topCode * step : (topCode - scale.zeroPoint) * step;
    for (int distance = 0; distance <= kFarthest; ++distance) {
        for (const int floats : {distance, -distance}) {
            const Bounds up {symmetric ? -moved(highest, floats) : moved(lowest, 0), moved(highest, floats)};
            const Bounds down {moved(lowest, floats), moved(highest, 0)};
            for (const Bounds& bounds : {up, down}) {
                if (scaleForBounds(QuantizerKind::Uniform, symmetry, bits, bounds) == scale) {
                    return bounds;
                }
            }
        }
    }
    return {moved(lowest, 0), moved(highest, 0)};
}

QuantParams paramsForBounds(QuantizerKind kind, Symmetry symmetry, int bits, const Bounds& bounds)
{
    QuantParams params;
    params.kind = kind;
    params.symmetry = symmetry;
    params.bits = bits;
    const Scale scale = scaleForBounds(kind, symmetry, bits, bounds);
    params.scales = {scale.step};
    params.zeroPoints = {scale.zeroPoint};
    params.bounds = {bounds};
    return params;
}

} // namespace qs
