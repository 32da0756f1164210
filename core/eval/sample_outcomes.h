#pragma once

#include "core/tensor/tensor.h"

#include <cstdint>
#include <vector>

namespace qs {

/// What a quantized model says of one sample, next to FP32. Of a language model, whose logits have a row per
/// token, the figures are those of the first row that changed (of the first row when none did).
struct SampleOutcome
{
    std::int64_t sample = 0; ///< index in the data source
    std::int64_t rows = 1; ///< predictions of the sample
    std::int64_t changedRows = 0; ///< those whose top-1 is not FP32's
    std::int64_t row = 0; ///< the one the figures below are of
    int referenceClass = 0;
    int quantizedClass = 0;
    float referenceProbability = 0.0F; ///< FP32's probability of its own top-1
    float quantizedProbability = 0.0F; ///< the quantized model's probability of its own top-1

    friend bool operator==(const SampleOutcome&, const SampleOutcome&) = default;
};

/// Outcomes of the samples of a batch: logits [N, ..., C] of the quantized model and of FP32, one row of
/// classes per prediction; `first` is the index of the first sample. Probabilities are softmax over C in
/// double. Throws Error(ShapeMismatch).
[[nodiscard]] std::vector<SampleOutcome> sampleOutcomes(
    const Tensor& logits, const Tensor& reference, std::int64_t first);

/// A sample on which two plans differ.
struct Flip
{
    std::int64_t sample = 0;
    int before = 0; ///< top-1 of the first plan
    int after = 0; ///< of the second
    float beforeProbability = 0.0F;
    float afterProbability = 0.0F;

    friend bool operator==(const Flip&, const Flip&) = default;
};

/// Samples whose top-1 differs between two evaluations of the same data, in order; an empty list stands for
/// FP32 itself. Lists of unlike length are compared as far as both go. Of language models only samples whose
/// figures are of the same row can be told apart; the others count as different when either has changed rows.
[[nodiscard]] std::vector<Flip> flipsBetween(
    const std::vector<SampleOutcome>& before, const std::vector<SampleOutcome>& after);

} // namespace qs
