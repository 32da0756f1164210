#pragma once

#include "core/runtime/executor.h"

#include <span>
#include <vector>

namespace qs {

/// Whether the graph takes one sample at a time: the first dimension of its input is 1 and fixed.
[[nodiscard]] bool takesOneSample(const Model& model);

/// Values of single samples, one after the other along their first dimension.
[[nodiscard]] Tensor joinSamples(std::span<const Tensor> samples);

/// The fetched values over all samples that the feeds hold, [N, ...]: run as one batch, or one sample after
/// the other where the graph takes no more. Throws Error as Executor::run() does, and Error(Unsupported) when
/// a value of one sample has no leading dimension of 1 to be put together along.
[[nodiscard]] std::vector<Tensor> runSamples(Executor& executor, std::span<const Feed> batches,
    std::span<const ValueId> fetches, const TaskContext& context = {});

} // namespace qs
