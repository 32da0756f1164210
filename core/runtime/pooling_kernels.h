#pragma once

namespace qs {

class KernelRegistry;

/// AveragePool, MaxPool and their global forms, over one to three spatial dimensions.
void addPoolingKernels(KernelRegistry& registry);

} // namespace qs
