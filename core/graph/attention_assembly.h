#pragma once

#include "core/graph/contrib_call.h"

namespace qs {

/// What an attention is made of, in standard operators. T keys for S queries; the last S keys are those of
/// the queries' own positions.
struct AttentionOperands
{
    ValueId query = kNoValue; ///< [B, N, S, d]
    ValueId key = kNoValue; ///< [B, N, T, d]
    ValueId value = kNoValue; ///< [B, N, T, e]
    double scale = 1.0; ///< of the products
    ValueId bias = kNoValue; ///< added to the scaled products: broadcasts to [B, N, S, T]
    ValueId mask = kNoValue; ///< likewise
    bool causal = false; ///< a query sees the keys up to its own position only
};

/// softmax(scale query key^T + bias + mask) value as the call's first output [B, S, N e]. Node names end in
/// ".scores", ".softmax" and ".context".
void addAttention(ContribCall& call, const AttentionOperands& operands);
/// [B, S, N d] as [B, N, S, d].
ValueId splitHeads(ContribCall& call, const std::string& suffix, ValueId x, std::int64_t heads);
/// The additive mask of a contrib attention's mask input: lengths [B], or ones and zeros [B, T], [B, S, T],
/// [B, 1, M, M] with M >= T; masked positions get `filter`.
ValueId additiveMask(ContribCall& call, ValueId mask, ValueId query, ValueId key, double filter);

} // namespace qs
