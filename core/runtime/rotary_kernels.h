#pragma once

namespace qs {

class KernelRegistry;

/// RotaryEmbedding.
void addRotaryKernels(KernelRegistry& registry);

} // namespace qs
