#pragma once

#include "core/methods/method.h"

namespace qs {

/// RepQuant with gradients. Known of RepQuant (arXiv 2402.05628) are its parts; how they are filled here is
/// ours (resources/docs/numerics.md "repquant"). Starts where another method ends, in a reparameterized
/// model, and trains block after block (reconstructBlocks()): steps and zero points of every activation,
/// gamma and beta of the norms (behind a reparameterized norm these and the tensor's step are the lower and
/// upper clipping bound of every channel), weights, their rows' steps, and biases. options: seed, iterations,
/// resume, onLoss, and `without` as the starting method has it. Reports "curvature" and "train" after the
/// stages of the start. Throws Error as reconstructBlocks() does.
[[nodiscard]] MethodResult quantizeRepquant(
    const MethodInput& input, const MethodOptions& options, const TaskContext& context = {});

} // namespace qs
