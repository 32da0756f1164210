#pragma once

#include "core/graph/graph.h"

#include <vector>

namespace qs {

/// A value through which everything computed from what the graph's first input holds must pass: given it, the
/// nodes before it are not needed for the graph's outputs, but for those that make masks and positions from
/// the input's shape or from further inputs. In a transformer: the residual stream between blocks and between
/// their halves.
struct CutValue
{
    ValueId value = kNoValue;
    NodeId producer = kNoNode; ///< kNoNode for a graph input

    friend bool operator==(const CutValue&, const CutValue&) = default;
};

/// All cut values in execution order, the first graph input in front where it is one.
[[nodiscard]] std::vector<CutValue> cutValues(const Graph& graph);

/// True for values that depend on a graph input; the others can be computed once.
[[nodiscard]] std::vector<bool> dependsOnInput(const Graph& graph);

} // namespace qs
