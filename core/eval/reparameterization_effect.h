#pragma once

#include "core/base/task_context.h"
#include "core/models/model.h"
#include "core/quant/plan.h"
#include "core/quant/quantization_error.h"
#include "core/quant/reparameterization.h"
#include "core/tensor/tensor.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qs {

/// What reparameterization does to one linear that reads the site. SQNR in dB, +infinity without error.
struct LinearEffect
{
    std::string layer;
    double weightDbBefore = 0.0; ///< of the weight under its own choice in the plan
    double weightDbAfter = 0.0; ///< of the rewritten weight under the same choice
    double outputDbBefore = 0.0; ///< of the output, with input and weight quantized, against FP32
    double outputDbAfter = 0.0;
};

/// Scale reparameterization at one norm as it was measured: before, one scale on the values as they are;
/// after, one scale on the rewritten values.
struct ReparameterizationEffect
{
    Reparameterization change;
    QuantParams before; ///< one scale, from the plan's own way to find bounds
    std::vector<Bounds> ranges; ///< least and largest calibrated value of every channel
    std::vector<Bounds> rewrittenRanges; ///< the same of x' = (x + s r2) / r1
    QuantizationError errorBefore; ///< of the site's values under `before`
    QuantizationError errorAfter; ///< under the scales per channel, whose codes the rewritten tensor has
    std::vector<LinearEffect> linears;
    /// max |y' - y| / max |y| over the logits of both models in floating point
    double largestRelativeDifference = 0.0;
    std::int64_t samples = 0; ///< behind the figures of the linears and of the difference
};

/// The channels' quantizer that a plan leads to at a norm's site: its bits and, where it has some per
/// channel, its bounds; where its bounds are one for the tensor, the percentile candidates for every channel
/// (RepQ-ViT, methods.md 1.2). Symmetric behind an RMS norm, which cannot shift.
[[nodiscard]] QuantParams channelQuantizer(const Model& model, const NormSite& norm, const Plan& plan,
    const Calibration& calibration, const TaskContext& context = {});

/// Measures reparameterization of one norm of `model`, which is not rewritten there yet. change: what to
/// measure; nullopt: meanReparameterization() of channelQuantizer(). probe: [N, ...], a few samples of the
/// model's first input. Throws Error as reparameterized() and the executor do.
[[nodiscard]] ReparameterizationEffect measureReparameterization(std::shared_ptr<const Model> model,
    const NormSite& norm, const Plan& plan, const Calibration& calibration, const Tensor& probe,
    std::optional<Reparameterization> change = std::nullopt, const TaskContext& context = {});

} // namespace qs
