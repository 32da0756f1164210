#pragma once

#include "core/quant/quantizer.h"
#include "core/runtime/row_transform.h"
#include "core/tensor/tensor.h"

namespace qs {

/// Quantize-dequantize of activations in float. Rounding is half to even; arithmetic is float32 as in PyTorch and
/// ONNX: round(x / s) + z, clamped, minus z, times s. NaN becomes the zero point's value.
class FakeQuantizer final : public RowTransform
{
public:
    explicit FakeQuantizer(QuantParams params);

    void transformRow(std::int64_t head, std::span<const float> in, float* out) const override;
    [[nodiscard]] const QuantParams& params() const { return m_params; }

private:
    QuantParams m_params;
};

/// Codes of a weight (row-major like it) and its dequantized F32 copy; output channels along `axis`.
[[nodiscard]] Tensor fakeQuantizedWeight(const Tensor& weight, const QuantParams& params, int axis);
[[nodiscard]] std::vector<std::int32_t> weightCodes(const Tensor& weight, const QuantParams& params, int axis);

} // namespace qs
