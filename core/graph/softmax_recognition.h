#pragma once

#include "core/graph/graph.h"

#include <memory>

namespace qs {

/// A copy of the graph in which Flatten -> Softmax -> Reshape (the meaning of Softmax before opset 13) is one
/// Softmax again where the flattened axis is the last: then both mean the same.
[[nodiscard]] std::shared_ptr<const Graph> recogniseSoftmaxes(const Graph& graph);

} // namespace qs
