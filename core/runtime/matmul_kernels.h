#pragma once

namespace qs {

class KernelRegistry;

/// Linear, MatMul, Gemm.
void addMatmulKernels(KernelRegistry& registry);

} // namespace qs
