#pragma once

#include "core/runtime/executor.h"

#include <span>
#include <string>
#include <vector>

namespace qs {

/// Whether the graph takes one sample at a time: the first dimension of its input is 1 and fixed.
[[nodiscard]] bool takesOneSample(const Model& model);

/// Values [1, ...] of single samples as one [N, ...]. Throws Error(Unsupported), naming the value, when they
/// have no leading dimension of 1.
[[nodiscard]] Tensor joinSamples(std::span<const Tensor> samples, const std::string& name);

/// The fetched values over all samples that the feeds hold, [N, ...]: run as one batch, or one sample after
/// the other where the graph takes no more. Throws Error as Executor::run()
/// and joinSamples() do.
[[nodiscard]] std::vector<Tensor> runSamples(Executor& executor, std::span<const Feed> batches,
    std::span<const ValueId> fetches, const TaskContext& context = {});

} // namespace qs
