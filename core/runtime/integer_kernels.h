#pragma once

namespace qs {

class KernelRegistry;

/// MatMulInteger, ConvInteger, QLinearMatMul, QLinearConv, DynamicQuantizeLinear: exact integer products.
void addIntegerKernels(KernelRegistry& registry);

} // namespace qs
