#pragma once

#include "core/graph/site.h"

#include <array>
#include <string>
#include <vector>

namespace qs {

/// One occurrence of MatMul -> [scale, mask, shape] -> Softmax -> [shape] -> MatMul, whose last operands are
/// computed, not stored.
struct AttentionPattern
{
    NodeId scores = kNoNode; ///< MatMul of query and transposed key
    NodeId softmax = kNoNode;
    NodeId context = kNoNode; ///< MatMul of the probabilities and the value
};

/// All attention patterns, in order of their softmax.
[[nodiscard]] std::vector<AttentionPattern> findAttention(const Graph& graph);

/// The linears that query, key and value are made by, in that order: behind heads, scales, rotary embedding,
/// normalization of heads, repetition for groups and the past's keys.
[[nodiscard]] std::array<std::vector<NodeId>, 3> operandLinears(
    const Graph& graph, const AttentionPattern& pattern);

/// Walks back from a value through nodes that only move or scale elements (Reshape, Transpose, Split,
/// Squeeze, ...) to the value they began with.
[[nodiscard]] ValueId originOf(const Graph& graph, ValueId value);

} // namespace qs
