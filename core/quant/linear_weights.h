#pragma once

#include "core/graph/graph_edit.h"

#include <span>
#include <vector>

namespace qs {

/// Per output of a Linear node, the sum of a weight of its shape over the inputs, in double.
[[nodiscard]] std::vector<double> rowSums(const Node& linear, const Tensor& weight);

/// The linear's bias plus factor * terms (one per output), made in double and stored as F32; a linear without
/// bias gets "<linear>.bias".
void addToBias(
    GraphEdit& edit, const Graph& graph, NodeId linear, std::span<const double> terms, double factor);

} // namespace qs
