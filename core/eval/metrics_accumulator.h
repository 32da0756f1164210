#pragma once

#include "core/eval/error_estimate.h"
#include "core/eval/metrics.h"
#include "core/models/model.h"

namespace qs {

/// Metrics over a set that comes in batches; nothing of the logits is kept. The result depends on the samples
/// and their order alone: same bits for any batch size and thread count.
class MetricsAccumulator
{
public:
    explicit MetricsAccumulator(ModelTask task);

    /// logits and reference [N, ..., C] of N further samples, of one shape: a row is a distribution over C
    /// ([N] counts as [N, 1]). What each row should have predicted is in `targets`, one a row in order;
    /// nothing where it is not known, and all empty when no row has one. Throws Error(ShapeMismatch |
    /// InvalidArgument).
    void add(const Tensor& logits, const Tensor& reference, std::span<const std::optional<int>> targets);

    /// Throws Error(InvalidArgument) when nothing was added.
    [[nodiscard]] Metrics result() const;
    /// One entry per sample, in order.
    [[nodiscard]] const std::vector<SampleError>& sampleErrors() const { return m_sampleErrors; }

private:
    ModelTask m_task;
    std::int64_t m_samples = 0;
    std::int64_t m_rows = 0;
    std::int64_t m_targets = 0; ///< rows with a target that is one of the classes
    std::int64_t m_top1 = 0;
    std::int64_t m_top5 = 0;
    std::int64_t m_agreeing = 0;
    double m_kl = 0.0; ///< nats, summed over rows
    double m_nll = 0.0; ///< nats, summed over targets
    double m_signal = 0.0;
    double m_noise = 0.0;
    std::vector<SampleError> m_sampleErrors;
};

/// What each row of a language model's logits [N, T, V] should predict, for ids [N, T] (int64 or int32): the
/// token that follows, and nothing for the last row of a sample. Throws Error(ShapeMismatch).
[[nodiscard]] std::vector<std::optional<int>> nextTokens(const Tensor& ids);

} // namespace qs
