#pragma once

#include "core/graph/graph.h"

#include <initializer_list>
#include <optional>
#include <set>
#include <string_view>

namespace qs {

/// What the recognition passes ask of a graph. Values may be kNoValue, nodes kNoNode: those have no
/// properties.

[[nodiscard]] bool isOneOf(std::string_view op, std::initializer_list<std::string_view> list);
/// The node that makes the value, if its operator is `op`; else kNoNode.
[[nodiscard]] NodeId makerOf(const Graph& graph, ValueId value, std::string_view op);
/// The number in a numeric constant of exactly one element, whatever its rank.
[[nodiscard]] std::optional<double> scalarOf(const Graph& graph, ValueId value);
[[nodiscard]] bool isConstant(const Graph& graph, ValueId value);
[[nodiscard]] bool isGraphOutput(const Graph& graph, ValueId value);
/// The other operand of a node with two inputs, one of which is `value`; kNoValue where that is not so.
[[nodiscard]] ValueId operandBeside(const Node& node, ValueId value);
/// The one node that reads the value, if it is no graph output and read exactly once; else kNoNode.
[[nodiscard]] NodeId onlyReader(const Graph& graph, ValueId value);
/// Whether all that these nodes make, apart from `result`, is read by themselves only and is no graph output:
/// then they may be replaced by something that makes `result` alone.
[[nodiscard]] bool isPrivate(const Graph& graph, const std::set<NodeId>& nodes, ValueId result);
/// Bytes of all constants together.
[[nodiscard]] std::size_t constantBytes(const Graph& graph);
/// Number of dimensions, where known.
[[nodiscard]] std::optional<std::size_t> rankOf(const Graph& graph, ValueId value);

} // namespace qs
