#pragma once

#include "core/graph/graph.h"

#include <memory>

namespace qs {

/// A copy of the graph in which layer normalizations written in primitive operators are LayerNormalization
/// and RMSNormalization nodes, named like the last node they replace:
///   (x - mean) / sqrt(mean((x - mean)^2) + eps) [* gamma] [+ beta], and x / sqrt(mean(x^2) + eps) [* gamma]
/// with the square as Pow or Mul, the difference computed once or twice, the root as Sqrt (then Div or
/// Reciprocal) or Pow -0.5, gamma multiplied into the normalized value or into the inverse root (also
/// TensorFlow's x (g r) + (beta - mean (g r))), over the last dimensions. Where a value in between is read by
/// others or is a graph output, as much as can be is replaced, or nothing. Run removeIdleNodes() first.
[[nodiscard]] std::shared_ptr<const Graph> recogniseNormalizations(const Graph& graph);

} // namespace qs
