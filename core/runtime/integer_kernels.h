#pragma once

#include "core/runtime/array.h"

namespace qs {

struct KernelCall;
class KernelRegistry;

/// Batches of 32-bit integer matrices: a [..., M, K] times b [..., K, N], batches broadcast; sums wrap around
/// as int32 does. Throws Error(ShapeMismatch) naming the node.
[[nodiscard]] Array multiplyIntegers(const KernelCall& call, const Array& a, const Array& b);

/// MatMulInteger, ConvInteger, QLinearMatMul, QLinearConv, DynamicQuantizeLinear: exact integer products.
void addIntegerKernels(KernelRegistry& registry);

} // namespace qs
