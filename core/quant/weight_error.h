#pragma once

#include "core/quant/quantization_error.h"
#include "core/tensor/tensor.h"

namespace qs {

/// Exact squared error of a quantizer over a weight's values: F32 of any rank, output channels along `axis`,
/// one scale for all or one per output channel. "Clipped" are values whose rounded code lies outside the code
/// range. Sums in double, channel by channel in order: same bits for any thread count. Throws
/// Error(ShapeMismatch).
[[nodiscard]] QuantizationError weightQuantizationError(
    const Tensor& weight, const QuantParams& params, int axis);

} // namespace qs
