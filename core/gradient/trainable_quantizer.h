#pragma once

#include "core/quant/fake_quantizer.h"
#include "core/tensor/activation_view.h"

#include <memory>
#include <span>
#include <vector>

namespace qs {

/// A fake quantizer of an activation whose steps and zero points are learned. The parameters are, per group,
/// the logarithm of the step (d for logarithmic kinds) relative to where it began, then per group the zero
/// point as a real number (asymmetric only; used rounded). Forward is FakeQuantizer, bit for bit; backward is
/// the straight-through estimator of methods.md 0.3 (LSQ+). One scale for the tensor or one per head.
class TrainableQuantizer
{
public:
    /// Throws Error(InvalidArgument) as FakeQuantizer does, and Error(Unsupported) for one scale per channel.
    explicit TrainableQuantizer(QuantParams params);

    /// What it does now, with rounded zero points and the bounds they mean.
    [[nodiscard]] const QuantParams& params() const { return m_quantizer->params(); }
    [[nodiscard]] const RowTransform& transform() const { return *m_quantizer; }
    [[nodiscard]] std::size_t parameterCount() const { return m_parameters.size(); }
    [[nodiscard]] std::size_t groups() const { return m_initial.scales.size(); }
    [[nodiscard]] std::span<const float> parameters() const { return m_parameters; }
    /// Same number as parameters(). Scales stay positive; zero points stay within 2^bits codes of the range.
    void setParameters(std::span<const float> parameters);

    /// x: the raw values; y: what the transform made of them, dense in the view's order; g: dL/dy like y.
    /// Writes dL/dx like y and adds dL/dparameters to `gradient`.
    void backward(
        const ActivationView& x, const float* y, const float* g, float* dx, std::span<double> gradient) const;

private:
    QuantParams m_initial;
    std::vector<float> m_parameters;
    std::shared_ptr<const FakeQuantizer> m_quantizer;
};

} // namespace qs
