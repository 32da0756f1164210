#pragma once

namespace qs {

class KernelRegistry;

/// QuantizeLinear, DequantizeLinear.
void addQuantizeKernels(KernelRegistry& registry);

} // namespace qs
