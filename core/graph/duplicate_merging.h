#pragma once

#include "core/graph/graph.h"

#include <memory>

namespace qs {

/// A copy of the graph in which nodes that give the same value another shape in the same way (Reshape,
/// Transpose, Squeeze, Unsqueeze, Flatten with equal inputs and attributes) are one node, so that linears
/// behind them read one value. Nodes that make graph outputs stay.
[[nodiscard]] std::shared_ptr<const Graph> mergeDuplicates(const Graph& graph);

} // namespace qs
