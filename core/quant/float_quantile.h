#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace qs {

/// The p-quantile of `count` float32 values as torch.quantile computes it on processors with fused
/// multiply-add: rank (count - 1) p and the linear interpolation in float32, from whichever end is nearer.
/// valueOf(rank) is the value of that rank, from 0 up.
template<typename ValueOf>
[[nodiscard]] float floatQuantile(std::size_t count, double p, const ValueOf& valueOf)
{
    const float h = static_cast<float>(p) * static_cast<float>(count - 1);
    const std::size_t rank = std::min(static_cast<std::size_t>(h), count - 1);
    const float below = valueOf(rank);
    const float above = valueOf(std::min(rank + 1, count - 1));
    const float weight = h - std::floor(h);
    const float difference = above - below;
    return weight < 0.5F ? std::fma(weight, difference, below) : std::fma(-difference, 1.0F - weight, above);
}

} // namespace qs
