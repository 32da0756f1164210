#pragma once

#include "core/gradient/tape.h"

namespace qs {

/// Row `index` of a batch as a batch of one, over the same memory.
[[nodiscard]] Tensor sampleOf(const Tensor& batch, std::int64_t index);

/// What a section with one feed and one fetch gives for every sample of a batch, run side by side without a
/// backward pass. Throws Error as Tape::forward() does.
[[nodiscard]] Tensor runSection(const Section& section, const TapeBindings& bindings, ValueId feed,
    const Tensor& inputs, const TaskContext& context = {});

} // namespace qs
