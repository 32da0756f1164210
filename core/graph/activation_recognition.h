#pragma once

#include "core/graph/graph.h"

#include <memory>

namespace qs {

/// A copy of the graph in which activation functions written in primitive operators are Gelu and Swish nodes,
/// named like the last node they replace:
///   0.5 x (1 + erf(x / sqrt 2))                               Gelu, approximate = "none"
///   0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))         Gelu, approximate = "tanh"
///   x sigmoid(alpha x)                                        Swish (alpha 1: SiLU; 1.702: QuickGELU)
/// in any order of operands and association: the nodes around Erf, Tanh and Sigmoid are read as polynomials
/// of x and compared by their coefficients, constants to 5e-5. Left alone where a value in between is read by
/// others or is a graph output. Run removeIdleNodes() first.
[[nodiscard]] std::shared_ptr<const Graph> recogniseActivations(const Graph& graph);

} // namespace qs
