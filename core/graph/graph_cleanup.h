#pragma once

#include "core/graph/graph.h"

#include <memory>

namespace qs {

/// A copy of the graph without what computes nothing: nodes that no output needs, Identity, Dropout (this is
/// inference) and Casts between floating-point types (all arithmetic is F32 here) as well as to the type a
/// value already has. Such a node stays where it makes a graph output, which keeps its name. Dimensions are
/// inferred on the way.
[[nodiscard]] std::shared_ptr<const Graph> removeIdleNodes(const Graph& graph);

} // namespace qs
