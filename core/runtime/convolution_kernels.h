#pragma once

namespace qs {

class KernelRegistry;

/// Conv.
void addConvolutionKernels(KernelRegistry& registry);

} // namespace qs
