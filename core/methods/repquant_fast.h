#pragma once

#include "core/methods/method.h"

namespace qs {

/// RepQuant without gradients. Known of RepQuant (arXiv 2402.05628) are its parts; how they are filled here
/// is ours (resources/docs/numerics.md "repquant-fast"). Layer after layer, on values that went through
/// everything quantized before:
///   - inputs behind a normalisation get bounds per channel of least error (dual clipping) and are
///   reparameterized;
///     other linear inputs get bounds of least error weighted by the layer that reads them; queries, keys and
///     values get one quantizer per head; attention probabilities log-sqrt2;
///   - the linear is reconstructed in closed form (reconstructLayer()) towards what the FP32 model computes
///   there; a
///     linear that ends in a residual addition also takes up the error that the residual stream has by then.
/// Reports "reconstruct" per layer. Throws Error as Executor::run() does, also Cancelled.
[[nodiscard]] MethodResult quantizeRepquantFast(
    const MethodInput& input, const MethodOptions& options, const TaskContext& context = {});

} // namespace qs
