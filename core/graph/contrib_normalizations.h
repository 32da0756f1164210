#pragma once

#include "core/graph/contrib_call.h"

namespace qs {

/// Also SkipSimplifiedLayerNormalization: normalizes input + skip [+ bias]; the sum is the fourth output.
void decomposeSkipLayerNormalization(ContribCall& call);
void decomposeSimplifiedLayerNormalization(ContribCall& call); ///< RMSNormalization
/// Normalizes the sum of word, position and segment embeddings; counts the mask's ones per sample.
void decomposeEmbedLayerNormalization(ContribCall& call);

} // namespace qs
