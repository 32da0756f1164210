#pragma once

#include "core/tensor/tensor.h"

#include <cmath>
#include <optional>
#include <span>
#include <vector>

namespace qs {

/// Figures of a quantized (or FP32) model on a labelled or unlabelled set. Percent where "percent" is said.
struct Metrics
{
    std::int64_t samples = 0;
    std::int64_t tokens
        = 0; ///< of a language model: those predicted, the first of each sample not among them
    std::optional<double>
        top1Percent; ///< absent without labels; those of a language model are the next tokens
    std::optional<double> top5Percent;
    std::optional<double> nllNats; ///< language models: mean of -ln p(next token)
    double agreementPercent = 100.0; ///< top-1 equal to FP32's, of all samples (language models: positions)
    double klNats = 0.0; ///< KL(softmax(fp32) || softmax(quantized)), natural logarithm; mean as above
    double logitsSqnrDb = 0.0; ///< 10 log10(sum fp^2 / sum (fp - q)^2) over all logits; +inf when equal

    /// exp of the mean NLL; absent where that is.
    [[nodiscard]] std::optional<double> perplexity() const
    {
        return nllNats ? std::optional(std::exp(*nllNats)) : std::nullopt;
    }
};

/// Sum-wise signal-to-noise ratio of `actual` against `reference` (same shape), in dB. +infinity when equal.
[[nodiscard]] double sqnrDb(std::span<const float> reference, std::span<const float> actual);

/// 10 log10(signal / noise) in dB of two sums of squares; +infinity for no noise, 0 for a zero signal with
/// noise.
[[nodiscard]] double sqnrDbOf(double signal, double noise);

/// Index of the largest logit, the lowest one among equals. The row must not be empty.
[[nodiscard]] std::size_t topClass(std::span<const float> logits);

/// Classification: logits [N, classes], reference of the same shape; labels of size N or empty; samples
/// without a label, or with one the model has no class for, do not count in top-1 and top-5. KL and SQNR are
/// accumulated in double. Throws Error(ShapeMismatch | InvalidArgument).
[[nodiscard]] Metrics computeMetrics(
    const Tensor& logits, const Tensor& reference, const std::vector<std::optional<int>>& labels);

} // namespace qs
