#pragma once

namespace qs {

class KernelRegistry;

/// ReduceMean, ReduceSum, ReduceMax, ReduceMin, ArgMax.
void addReductionKernels(KernelRegistry& registry);

} // namespace qs
