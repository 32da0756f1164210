#pragma once

#include "core/models/model.h"

#include <map>
#include <memory>
#include <string>

namespace qs {

/// The model with another graph that says the same: everything else is kept, its sites are found anew.
[[nodiscard]] std::shared_ptr<const Model> withGraph(const Model& model, std::shared_ptr<const Graph> graph);

/// The model with other values for the constants of these names, F32 of the same shapes. Throws
/// Error(InvalidArgument | ShapeMismatch) naming the constant.
[[nodiscard]] std::shared_ptr<const Model> withConstants(
    const Model& model, const std::map<std::string, Tensor>& constants);

} // namespace qs
