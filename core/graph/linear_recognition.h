#pragma once

#include "core/graph/graph.h"

#include <memory>

namespace qs {

/// A copy of the graph in which linears look like ours: MatMul with a constant [K, N] weight, also with the
/// Add of a constant [N] behind it that alone reads it, and Gemm (alpha = beta = 1, transA = 0) with constant
/// weight and bias become Linear; what the other operators compute stays. A linear is named after the layer
/// in the product's name (layerOfNode). Dimensions are inferred on the way.
[[nodiscard]] std::shared_ptr<const Graph> recogniseLinears(const Graph& graph);

} // namespace qs
