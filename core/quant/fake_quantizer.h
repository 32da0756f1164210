#pragma once

#include "core/quant/quantizer.h"
#include "core/runtime/row_transform.h"
#include "core/tensor/tensor.h"

#include <memory>

namespace qs {

/// Quantize-dequantize of activations in float. Rounding is half to even; arithmetic is float32 as in PyTorch
/// and ONNX: round(x / s) + z, clamped, minus z, times s. NaN becomes the lowest level (zero with a
/// logarithmic quantizer). Same bits on every processor and for any thread count.
class FakeQuantizer final : public RowTransform
{
public:
    explicit FakeQuantizer(QuantParams params);

    void transformRow(std::int64_t head, std::span<const float> in, float* out) const override;
    [[nodiscard]] const QuantParams& params() const { return m_params; }

private:
    struct Tables; ///< what transformRow() needs in the form it needs it
    QuantParams m_params;
    std::shared_ptr<const Tables> m_tables;
};

/// Codes of a weight (row-major like it) and its dequantized F32 copy; output channels along `axis`.
[[nodiscard]] Tensor fakeQuantizedWeight(const Tensor& weight, const QuantParams& params, int axis);
[[nodiscard]] std::vector<std::int32_t> weightCodes(
    const Tensor& weight, const QuantParams& params, int axis);

} // namespace qs
