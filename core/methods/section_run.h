#pragma once

#include "core/gradient/tape.h"

namespace qs {

/// Row `index` of a batch as a batch of one, over the same memory.
[[nodiscard]] Tensor sampleOf(const Tensor& batch, std::int64_t index);

/// Row `index` of every batch that a section is fed with.
[[nodiscard]] std::vector<Feed> sampleOf(std::span<const Feed> batches, std::int64_t index);
/// The feeds of every sample.
[[nodiscard]] std::vector<std::vector<Feed>> samplesOf(std::span<const Feed> batches);

/// These rows of a batch, copied.
[[nodiscard]] Tensor gathered(const Tensor& batch, std::span<const std::int64_t> rows);

[[nodiscard]] std::vector<ValueId> valuesOf(std::span<const Feed> feeds);

/// What the first fetch of a section is for every sample of the batches, run side by side without a backward
/// pass. Throws Error as Tape::forward() does.
[[nodiscard]] Tensor runSection(const Section& section, const TapeBindings& bindings,
    std::span<const Feed> batches, const TaskContext& context = {});

} // namespace qs
