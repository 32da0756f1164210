#pragma once

#include "core/graph/graph.h"

#include <memory>

namespace qs {

/// A copy of the graph in which the operators that ONNX Runtime's fusions write (domain com.microsoft) are
/// standard operators again, so that the softmax inside an attention and the LayerNormalization behind a sum
/// can be seen and observed. Semantics as in ONNX Runtime's ContribOperators.md. Throws Error(Unsupported)
/// naming node and operator for those of a foreign domain that are not known here, and for modes that are not
/// done.
[[nodiscard]] std::shared_ptr<const Graph> decomposeContribOperators(const Graph& graph);

} // namespace qs
