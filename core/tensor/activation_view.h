#pragma once

#include <cstdint>

namespace qs {

/// Read-only look at one activation while it is in cache: `batch` samples x `heads` x `rows` x `width` floats. A row is
/// contiguous; the outer steps are strides in floats, so a head of a fused qkv product is seen without a copy.
/// Tensors without heads have heads = 1 (a linear's input [B, T, D]: rows = T, width = D; a head's attention
/// probabilities [B, H, T, T]: rows = T, width = T; a convolution input [B, C, H, W]: heads = C, rows = H, width = W).
struct ActivationView
{
    const float* data = nullptr;
    std::int64_t batch = 0;
    std::int64_t heads = 1;
    std::int64_t rows = 0;
    std::int64_t width = 0;
    std::int64_t batchStride = 0;
    std::int64_t headStride = 0;
    std::int64_t rowStride = 0;

    [[nodiscard]] const float* row(std::int64_t sample, std::int64_t head, std::int64_t rowIndex) const
    {
        return data + sample * batchStride + head * headStride + rowIndex * rowStride;
    }
    [[nodiscard]] std::int64_t elementCount() const { return batch * heads * rows * width; }
};

} // namespace qs
