#pragma once

#include "core/base/task_context.h"
#include "core/models/model.h"
#include "core/runtime/execution_profile.h"
#include "core/runtime/executor.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace qs {

/// The inputs of one forward pass after the other.
using FeedBatches = std::vector<std::vector<Feed>>;

/// How fast a model runs. Times are medians over rounds; a round is one pass over all batches.
struct ModelBenchmark
{
    std::int64_t samples = 0; ///< in one round
    std::int64_t tokens = 0; ///< in one round; 0 unless the model reads token ids
    int rounds = 0;
    double plainSeconds = 0.0; ///< one round of plain forward passes
    double calibrationSeconds = 0.0; ///< one round with the statistics of all sites, from none to finished
    double observationSeconds = 0.0; ///< what the profiled round spent on statistics
    std::vector<NodeCost> nodes; ///< by NodeId: one round of plain forward passes, per node
    double operations = 0.0; ///< multiplications and additions of matrix products in one round

    [[nodiscard]] double samplesPerSecond() const;
    [[nodiscard]] double tokensPerSecond() const;
    /// Calibration's time as a multiple of the plain passes'.
    [[nodiscard]] double calibrationOverhead() const;
    [[nodiscard]] double operationsPerSecond() const;
};

/// Plain and calibrating rounds in turns for about `seconds`, at least three of each, after one round that
/// warms up; one more plain round is profiled. Throws Error(InvalidArgument) without batches.
[[nodiscard]] ModelBenchmark benchmarkModel(std::shared_ptr<const Model> model, const FeedBatches& batches,
    double seconds, const TaskContext& context = {});

/// Costs of the nodes in one plain round, the least of `rounds` by total time, after one that warms up.
[[nodiscard]] ExecutionProfile profileModel(
    Executor& executor, const FeedBatches& batches, int rounds, const TaskContext& context = {});

} // namespace qs
