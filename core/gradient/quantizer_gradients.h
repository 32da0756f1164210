#pragma once

#include <array>
#include <cstddef>

namespace qs {

/// Partial sums of a row: element i belongs to lane i mod 8; lanes are added in order, so that the bits are
/// the same on every processor.
struct LaneSums
{
    static constexpr std::size_t kLanes = 8;
    std::array<float, kLanes> lanes {};

    [[nodiscard]] double total() const
    {
        double sum = 0.0;
        for (const float lane : lanes) {
            sum += static_cast<double>(lane);
        }
        return sum;
    }
};

/// What the gradient of one row of a uniform quantizer needs: its step and the codes without zero point.
struct UniformRow
{
    float step = 1.0F;
    float lowest = 0.0F;
    float highest = 0.0F;
};

/// The straight-through gradient of a uniform quantizer (LSQ+; methods.md 0.3) for x and g = dL/dy: dx, and
/// in units of the step dL/ds and dL/dz added to the lanes. |codes| below 2^21.
void uniformRowGradient(UniformRow row, const float* x, const float* g, float* dx, std::size_t size,
    LaneSums& scale, LaneSums& zero);

/// Likewise of a logarithmic one, y its result: above `above` x is clipped to d. dL/dd added to the lanes.
void logarithmicRowGradient(float above, const float* x, const float* y, const float* g, float* dx,
    std::size_t size, LaneSums& scale);

} // namespace qs
