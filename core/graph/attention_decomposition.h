#pragma once

#include "core/graph/graph.h"

#include <memory>

namespace qs {

/// A copy of the graph in which every fused Attention (ONNX opset 23 and 24) is written out, so that its
/// scores and its softmax are values like any others: heads split from three-dimensional inputs, past keys
/// and values in front, MatMul with the transposed keys, Mul by the scale, Add of the mask and the causal
/// triangle, the soft cap, Softmax
/// ("<name>.softmax"), MatMul with the values. Keys and values of grouped queries are repeated by Gather
/// along the heads. Softmax is computed in F32 whatever softmax_precision says. The order is that of the
/// operator's document at opset 23: the mask is added before the soft cap. Throws Error(Unsupported |
/// ShapeMismatch) naming the node where head count or head size are not known, and for a causal mask on an
/// external cache (nonpad_kv_seqlen).
[[nodiscard]] std::shared_ptr<const Graph> decomposeAttention(const Graph& graph);

} // namespace qs
