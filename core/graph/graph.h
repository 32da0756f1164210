#pragma once

#include "core/tensor/tensor.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace qs {

using ValueId = int; ///< index into Graph::values(); kNoValue marks an omitted optional input
using NodeId = int; ///< index into Graph::nodes(), which is in execution order
inline constexpr int kNoValue = -1;
inline constexpr int kNoNode = -1;

using Attribute
    = std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>, Tensor>;

/// One operation with the semantics of the ONNX operator of that name (opset 17 unless its comment in
/// resources/docs/architecture.md says otherwise). Two additions of ours:
///   "Linear"  inputs x [..., K], weight, optional bias [N]; attribute transB = 1: weight [N, K], 0: [K, N]
///   "Gelu"    as ONNX opset 20: attribute approximate = "none" (erf) or "tanh"
struct Node
{
    std::string op;
    std::string name; ///< unique dotted path, e.g. "blocks.3.attn.qkv"; layers and sites take their names from it
    std::vector<ValueId> inputs;
    std::vector<ValueId> outputs;
    std::map<std::string, Attribute> attributes;

    [[nodiscard]] std::int64_t intAttribute(std::string_view key, std::int64_t fallback) const;
    [[nodiscard]] double floatAttribute(std::string_view key, double fallback) const;
    [[nodiscard]] std::string stringAttribute(std::string_view key, std::string_view fallback) const;
    [[nodiscard]] std::vector<std::int64_t> intsAttribute(std::string_view key) const;
};

/// One edge of the graph: an input, a constant, or the output of exactly one node.
struct Value
{
    std::string name; ///< unique
    DType dtype = DType::F32;
    std::vector<std::int64_t> dims; ///< -1 = dynamic (the batch); known when dimsKnown
    bool dimsKnown = false;
    Tensor constant; ///< valid() for weights and other constants; may lie in a mapped file
    NodeId producer = kNoNode;
    std::vector<NodeId> consumers; ///< ascending; a node that reads the value twice is listed twice

    [[nodiscard]] bool isConstant() const { return constant.valid(); }
};

/// The one form every importer produces: nodes in execution order, values by index, weights by reference. Immutable;
/// made by GraphBuilder, shared as std::shared_ptr<const Graph>.
class Graph
{
public:
    [[nodiscard]] const std::vector<Node>& nodes() const { return m_nodes; }
    [[nodiscard]] const std::vector<Value>& values() const { return m_values; }
    [[nodiscard]] const Node& node(NodeId id) const { return m_nodes[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const Value& value(ValueId id) const { return m_values[static_cast<std::size_t>(id)]; }
    [[nodiscard]] const std::vector<ValueId>& inputs() const { return m_inputs; }
    [[nodiscard]] const std::vector<ValueId>& outputs() const { return m_outputs; }
    [[nodiscard]] std::optional<ValueId> findValue(std::string_view name) const;
    [[nodiscard]] std::optional<NodeId> findNode(std::string_view name) const;
    /// Sum of the elements of all floating-point constants with at least one dimension (a scalar, such as the
    /// scale of an attention, is part of an operation, not trained).
    [[nodiscard]] std::int64_t parameterCount() const;

private:
    friend class GraphBuilder;
    std::vector<Node> m_nodes;
    std::vector<Value> m_values;
    std::vector<ValueId> m_inputs;
    std::vector<ValueId> m_outputs;
};

} // namespace qs
