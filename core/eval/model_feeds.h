#pragma once

#include "core/io/data_source.h"
#include "core/runtime/executor.h"

#include <vector>

namespace qs {

/// Samples one run takes: `wanted`, unless the model's first input fixes its batch dimension.
[[nodiscard]] std::int64_t batchSizeOf(const Graph& graph, std::int64_t wanted);

/// The same for samples of a set: fewer than `wanted` where the logits of a language model would take more
/// than 256 MiB, but at least one.
[[nodiscard]] std::int64_t batchSizeOf(const Model& model, const DataSource& data, std::int64_t wanted);

/// Feeds of all the model's inputs for a batch [N, ...] of its first one. Further inputs of token models
/// follow from it: attention masks are ones (samples are never padded), token types zeros, positions 0, 1, 2,
/// …, each [N, T]. Throws Error(Unsupported) naming an input that nothing is known about.
[[nodiscard]] std::vector<Feed> feedsOf(const Graph& graph, const Tensor& batch);

} // namespace qs
