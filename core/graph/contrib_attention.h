#pragma once

#include "core/graph/contrib_call.h"

namespace qs {

/// Attention: one packed product makes query, key and value; masks, past and present, causal.
void decomposeContribAttention(ContribCall& call);
/// MultiHeadAttention: query, key and value come apart, packed by head, or as [B, N, T, d].
void decomposeMultiHeadAttention(ContribCall& call);

} // namespace qs
