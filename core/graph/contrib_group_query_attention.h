#pragma once

#include "core/graph/contrib_call.h"

namespace qs {

/// GroupQueryAttention: causal, several query heads for one key and value head, optionally rotary. Every
/// sequence of the batch has the full length (what seqlens_k says of shorter ones is not looked at): prefill,
/// and generation without padding.
void decomposeGroupQueryAttention(ContribCall& call);

} // namespace qs
