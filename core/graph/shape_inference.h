#pragma once

#include "core/graph/graph_builder.h"

namespace qs {

/// Records in `builder` what can be said of the dimensions and element types of a node's outputs, from its
/// inputs' dimensions and constants; -1 where a dimension depends on the batch or on values. Outputs of
/// operators it does not know, and of inputs it knows nothing of, stay unknown. Never throws for
/// contradicting shapes: running the graph names those.
void inferShapes(GraphBuilder& builder, const Node& node);

} // namespace qs
