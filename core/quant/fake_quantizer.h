#pragma once

#include "core/quant/quantizer.h"
#include "core/runtime/row_transform.h"
#include "core/tensor/tensor.h"

#include <memory>

namespace qs {

/// Quantize-dequantize of activations in float. Rounding is half to even; arithmetic is float32 as in PyTorch
/// and ONNX: round(x / s) + z, clamped, minus z, times s. NaN quantizes like 0. Logarithmic quantizers
/// (methods.md 1.4) give d 2^(-q/k); values above d give d, values <= 0, NaN and those beyond the last code
/// give 0. Immutable; the same bits on every processor.
///
/// With one scale per channel (GroupAxis::Channel) element i of a row takes scale i; with GroupAxis::Head a
/// row takes the scale of its `head`, which for a convolution's input is its channel.
class FakeQuantizer final : public RowTransform
{
public:
    /// Throws Error(InvalidArgument) when the parameters are not fit to run: no scales, lists of different
    /// lengths, a scale that is not a positive normal number, bits outside 2..16.
    explicit FakeQuantizer(QuantParams params);

    /// Throws Error(ShapeMismatch) when there are several scales, but not one for this row or its elements.
    void transformRow(std::int64_t head, std::span<const float> in, float* out) const override;
    [[nodiscard]] const QuantParams& params() const { return m_params; }

private:
    struct Tables; ///< the scales in the form the kernels take
    QuantParams m_params;
    std::shared_ptr<const Tables> m_tables;
};

/// Codes of a uniformly quantized weight (row-major like it, F32 of any rank) and the dequantized F32 copy
/// with any quantizer; output channels along `axis`. Throw Error(ShapeMismatch) when the scales do not fit,
/// and weightCodes() Error(Unsupported) for logarithmic quantizers, whose zero has no code.
[[nodiscard]] Tensor fakeQuantizedWeight(const Tensor& weight, const QuantParams& params, int axis);
[[nodiscard]] std::vector<std::int32_t> weightCodes(
    const Tensor& weight, const QuantParams& params, int axis);

} // namespace qs
