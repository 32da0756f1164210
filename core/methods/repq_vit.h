#pragma once

#include "core/methods/quantizer_kinds.h"

namespace qs {

/// RepQ-ViT (arXiv 2212.08254), the published procedure to the letter (methods.md 1.1 to 1.3b): weights
/// asymmetric per output channel; activations per tensor, those behind a LayerNorm per channel and
/// reparameterized; attention probabilities log-sqrt2; the patch convolution's input at 8 bits; the head
/// quantized; bounds by the percentile candidates, each quantizer made from values that went through all
/// quantizers before it. Options: the zero point rule (the published code leaves the fraction), the quantizer
/// of attention probabilities (log-sqrt2 when none is given), and without Reparameterization or
/// LogSqrt2Softmax; it has none of the other ingredients. Reports "calibrate". Throws Error as
/// Executor::run() does, also Cancelled.
[[nodiscard]] MethodResult quantizeRepqVit(
    const MethodInput& input, const MethodOptions& options, const TaskContext& context = {});

/// In what a sequential calibration may differ from the published one.
struct SequentialVariant
{
    NormScope norms = NormScope::Blocks; ///< what is reparameterized
    BoundMethod weights = BoundMethod::Percentile;
    BoundMethod activations = BoundMethod::Percentile;
    SiteKinds kinds; ///< of single sites, instead of uniform
};
[[nodiscard]] MethodResult quantizeSequentially(const MethodInput& input, const MethodOptions& options,
    const SequentialVariant& variant, const TaskContext& context = {});

/// Its plan before anything is known of the values: the sites in `channelwise` (indices into Model::sites)
/// get a scale per channel.
[[nodiscard]] Plan repqVitPlan(
    const Model& model, const MethodOptions& options, const std::set<int>& channelwise);

} // namespace qs
