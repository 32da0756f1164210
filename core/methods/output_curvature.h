#pragma once

#include "core/base/task_context.h"
#include "core/methods/block_sections.h"
#include "core/runtime/executor.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace qs {

/// How much an error in each element of a block's output costs in the end: the diagonal of the Fisher
/// information of the FP32 model's own predictive distribution, mean over samples of (d log p(label) / d
/// output)^2 with labels drawn from that distribution (the second-order weight of BRECQ, arXiv 2102.05426;
/// smoothed as stated here, which is ours). One array per section, of the output's elements for one sample,
/// scaled to mean 1: half of each value, half the mean over all tokens of its channel, plus 1e-3. A model
/// whose task is Features gives 1 everywhere. `inputs` are values of the
/// first section's feed and of what else is needed behind it.
[[nodiscard]] std::vector<std::vector<float>> outputCurvature(std::shared_ptr<const Model> model,
    const std::vector<BlockSection>& sections, std::span<const Feed> inputs, int draws, std::int64_t seed,
    const TaskContext& context = {});

} // namespace qs
