#pragma once

#include "core/graph/contrib_call.h"

namespace qs {

void decomposeGelu(ContribCall& call); ///< Gelu(x), erf form
void decomposeBiasGelu(ContribCall& call); ///< Gelu(x + bias), erf form
void decomposeFastGelu(ContribCall& call); ///< Gelu(x [+ bias]), tanh form
void decomposeGemmFastGelu(ContribCall& call); ///< Gelu(x weight [+ bias]), tanh form
void decomposeQuickGelu(ContribCall& call); ///< x sigmoid(alpha x)

} // namespace qs
