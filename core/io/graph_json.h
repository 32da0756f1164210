#pragma once

#include "core/graph/graph.h"

#include <functional>
#include <memory>
#include <string>

namespace qs {

/// A graph's structure as JSON text: inputs, names of constants, nodes in order with operator, name, inputs,
/// outputs and attributes, outputs, and known dimensions. Values are named, the values of constants are not
/// in it.
[[nodiscard]] std::string graphToJson(const Graph& graph);

/// Rebuilds the graph; `constantOf` supplies each constant by name. Throws Error(CorruptFile) naming the node
/// or key.
[[nodiscard]] std::shared_ptr<const Graph> graphFromJson(
    const std::string& text, const std::function<Tensor(const std::string& name)>& constantOf);

} // namespace qs
