#pragma once

#include "core/eval/metrics.h"
#include "core/models/model.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qs {

/// What samples add to the metrics: they are quotients of these sums, so that samples can be added up, left
/// out or counted twice (bootstrap) without running anything again.
struct MetricSums
{
    std::int64_t samples = 0;
    std::int64_t rows = 0; ///< distributions compared: of a language model one a token
    std::int64_t targets = 0; ///< rows with a target that is one of the classes
    std::int64_t top1 = 0;
    std::int64_t top5 = 0;
    std::int64_t agreeing = 0;
    double kl = 0.0; ///< nats, over rows
    double nll = 0.0; ///< nats, over targets
    double signal = 0.0; ///< squared units of the logits
    double noise = 0.0;

    MetricSums& operator+=(const MetricSums& other);
    /// Throws Error(InvalidArgument) when there are no rows.
    [[nodiscard]] Metrics metrics(ModelTask task) const;
};

/// One entry per sample of the batch. logits and reference [N, ..., C] of one shape: a row is a distribution
/// over C ([N] counts as [N, 1]). What each row should have predicted is in `targets`, one a row in order;
/// nothing where it is not known, and all empty when no row has one. Throws Error(ShapeMismatch |
/// InvalidArgument).
[[nodiscard]] std::vector<MetricSums> metricSums(
    const Tensor& logits, const Tensor& reference, std::span<const std::optional<int>> targets);

} // namespace qs
