#pragma once

#include "core/eval/error_estimate.h"
#include "core/eval/metric_sums.h"

namespace qs {

/// Metrics over a set that comes in batches; nothing of the logits is kept. The result depends on the samples
/// and their order alone: same bits for any batch size and thread count.
class MetricsAccumulator
{
public:
    explicit MetricsAccumulator(ModelTask task);

    /// Further samples, as metricSums() takes them. Throws Error(ShapeMismatch | InvalidArgument).
    void add(const Tensor& logits, const Tensor& reference, std::span<const std::optional<int>> targets);

    /// Throws Error(InvalidArgument) when nothing was added.
    [[nodiscard]] Metrics result() const { return m_sums.metrics(m_task); }
    /// One entry per sample, in order.
    [[nodiscard]] const std::vector<SampleError>& sampleErrors() const { return m_sampleErrors; }

private:
    ModelTask m_task;
    MetricSums m_sums;
    std::vector<SampleError> m_sampleErrors;
};

/// What each row of a language model's logits [N, T, V] should predict, for ids [N, T] (int64 or int32): the
/// token that follows, and nothing for the last row of a sample. Throws Error(ShapeMismatch).
[[nodiscard]] std::vector<std::optional<int>> nextTokens(const Tensor& ids);

} // namespace qs
