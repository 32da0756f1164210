#pragma once

#include "core/base/task_context.h"
#include "core/runtime/executor.h"
#include "core/tensor/tensor.h"

namespace qs {

/// First output of the executor's model for `samples` (first input, batch first), eight at a time: [N, ...].
/// Throws Error(ShapeMismatch) when the outputs of the batches do not line up, and what Executor::run throws.
[[nodiscard]] Tensor runModel(Executor& executor, const Tensor& samples, const TaskContext& context);

} // namespace qs
