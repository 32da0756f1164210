#pragma once

#include "core/graph/graph.h"

#include <memory>

namespace qs {

/// A copy of the graph in which the nodes that sites take their names from have layer paths: Linear, Conv,
/// normalizations and activation functions the path in their own name (layerOfNode), or in their weight's or
/// bias's (layerOfParameter); the softmax and the products of an attention the path that its linears have in
/// common. Where neither says anything, names go by position: "block0.attn.qkv" (".q", ".k", ".v" where they
/// are apart), "block0.attn.proj", "block0.mlp.fc1", ... and "stem.fc1", ... in front of the first attention.
/// Names stay unique; numbers are put behind those that would not be.
[[nodiscard]] std::shared_ptr<const Graph> nameLayers(const Graph& graph);

} // namespace qs
