#pragma once

#include "core/tensor/tensor.h"

#include <cstdint>
#include <vector>

namespace qs {

/// A row-major weight seen as rows of contiguous values: either every row lies in one output channel (axis 0
/// of [N, K] or [O, I, kh, kw]) or element i of every row belongs to output channel i (the last axis, as in
/// [K, N]).
struct WeightLayout
{
    bool rowsAreChannels = true;
    std::int64_t channels = 1;
    std::int64_t rows = 0;
    std::int64_t width = 0; ///< values per row

    [[nodiscard]] std::int64_t channelOfRow(std::int64_t row) const
    {
        return rowsAreChannels ? row % channels : 0;
    }
    /// Rows for one range of parallelFor().
    [[nodiscard]] std::int64_t rowGrain() const;
};

/// Throws Error(ShapeMismatch) when the weight has no such axis, or when scaleCount is neither 1 nor the
/// number of output channels, and Error(InvalidArgument) when it is not F32.
[[nodiscard]] WeightLayout layoutOfWeight(const Tensor& weight, int axis, std::size_t scaleCount = 1);

/// The finite values of output channels [first, last), one list per channel, each in storage order.
[[nodiscard]] std::vector<std::vector<float>> finiteChannelValues(
    const Tensor& weight, const WeightLayout& layout, std::int64_t first, std::int64_t last);

} // namespace qs
