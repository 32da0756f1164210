#pragma once

#include "core/quant/fake_quantizer.h"
#include "core/runtime/row_transform.h"

#include <atomic>

namespace qs {

/// Which part of a quantizer's error to apply. The parts have no value in common: a value is clipped (its
/// code saturates; QuantizationError says when) or it is rounded.
enum class ErrorCause {
    Both,
    Clipping, ///< clipped values become what the quantizer makes of them, the others stay
    Rounding ///< the other way round
};

/// Whether a value's code saturates under scale number `index`. Logarithmic quantizers clip above the cell of
/// code 0 only: their lower end is zeroing.
[[nodiscard]] bool isClipped(float value, const QuantParams& params, std::size_t index);

/// A fake quantizer that applies one part of its error, and knows whether it has met a clipped value.
class CauseQuantizer final : public RowTransform
{
public:
    /// Throws Error(InvalidArgument) as FakeQuantizer does.
    CauseQuantizer(QuantParams params, ErrorCause cause);

    void transformRow(std::int64_t head, std::span<const float> in, float* out) const override;
    [[nodiscard]] bool hasClipped() const { return m_clipped.load(); }

private:
    FakeQuantizer m_quantizer;
    ErrorCause m_cause;
    mutable std::atomic<bool> m_clipped {false};
};

/// The dequantized F32 copy of a weight with one part of the error. As fakeQuantizedWeight().
[[nodiscard]] Tensor causedWeight(
    const Tensor& weight, const QuantParams& params, int axis, ErrorCause cause);

} // namespace qs
