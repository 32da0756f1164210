#pragma once

#include "core/tensor/tensor.h"

#include <optional>
#include <vector>

namespace qs {

/// Figures of a quantized (or FP32) model on a labelled or unlabelled set. Percent where "percent" is said.
struct Metrics
{
    std::int64_t samples = 0;
    std::optional<double> top1Percent; ///< absent without labels
    std::optional<double> top5Percent;
    double agreementPercent = 100.0; ///< top-1 equal to FP32's
    double klNats = 0.0; ///< mean over samples of KL(softmax(fp32) || softmax(quantized)), natural logarithm
    double logitsSqnrDb = 0.0; ///< 10 log10(sum fp^2 / sum (fp - q)^2) over all logits; +inf when equal
};

/// Sum-wise signal-to-noise ratio of `actual` against `reference` (same shape), in dB. +infinity when equal.
[[nodiscard]] double sqnrDb(std::span<const float> reference, std::span<const float> actual);

/// logits [N, classes], reference of the same shape; labels of size N (absent entries leave top-1 and top-5 out).
[[nodiscard]] Metrics computeMetrics(
    const Tensor& logits, const Tensor& reference, const std::vector<std::optional<int>>& labels);

} // namespace qs
