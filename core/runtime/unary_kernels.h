#pragma once

namespace qs {

class KernelRegistry;

/// Functions of one operand: Erf, Tanh, Gelu, Round and the like.
void addUnaryKernels(KernelRegistry& registry);

} // namespace qs
