#pragma once

#include "core/graph/contrib_call.h"

namespace qs {

/// alpha A B, each operand transposed in its last two dimensions and, before that, its first dimension moved
/// behind the batch dimensions, as the attributes say.
void decomposeFusedMatMul(ContribCall& call);
/// Integer operands become DequantizeLinear in front of a MatMul: the same products, in float.
void decomposeMatMulIntegerToFloat(ContribCall& call);
/// As above, the first operand quantized by DynamicQuantizeLinear on the way.
void decomposeDynamicQuantizeMatMul(ContribCall& call);
/// An operator that means what the standard one of its name means.
void decomposeRenamed(ContribCall& call);

} // namespace qs
