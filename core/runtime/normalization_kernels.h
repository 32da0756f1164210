#pragma once

namespace qs {

class KernelRegistry;

/// LayerNormalization, Softmax, LogSoftmax.
void addNormalizationKernels(KernelRegistry& registry);

} // namespace qs
