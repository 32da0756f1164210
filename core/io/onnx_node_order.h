#pragma once

#include <vector>

namespace onnx {
class GraphProto;
}

namespace qs {

/// Indices of the graph's nodes so that each comes after the makers of its inputs, otherwise in the file's
/// order: the specification asks files for that order, yet many tools write another. Nodes on a cycle or
/// behind an input that nothing makes come last.
[[nodiscard]] std::vector<int> executionOrder(const onnx::GraphProto& graph);

} // namespace qs
