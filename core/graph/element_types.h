#pragma once

#include "core/graph/graph.h"

#include <optional>
#include <vector>

namespace qs {

/// Element type of every value, by index, as far as operators, constants and inputs tell; nothing where an
/// operator is not known here. (Value::dtype is F32 where nobody recorded a type.)
[[nodiscard]] std::vector<std::optional<DType>> elementTypes(const Graph& graph);

} // namespace qs
