#include "core/graph/attention_pattern.h"

#include "core/graph/graph_queries.h"

#include <algorithm>
#include <optional>
#include <set>

namespace qs {

namespace {

constexpr std::size_t kMost = 24; // nodes looked at between a MatMul and the softmax

/// The input of a node that is computed from the model's input, when there is exactly one such.
std::optional<ValueId> onlyComputedInput(const Graph& graph, const Node& node)
{
    std::optional<ValueId> found;
    for (const ValueId input : node.inputs) {
        if (input == kNoValue || graph.value(input).isConstant()) {
            continue;
        }
        if (found) {
            return std::nullopt;
        }
        found = input;
    }
    return found;
}

/// From the softmax's input back over scaling, masking and shape to the MatMul that makes the scores.
NodeId findScores(const Graph& graph, ValueId value, std::set<NodeId>& seen)
{
    const NodeId producer = value == kNoValue ? kNoNode : graph.value(value).producer;
    if (producer == kNoNode || seen.size() > kMost || !seen.insert(producer).second) {
        return kNoNode;
    }
    const Node& node = graph.node(producer);
    if (node.op == "MatMul") {
        const bool ofActivations = node.inputs.size() == 2
            && std::ranges::none_of(
                node.inputs, [&](ValueId input) { return input == kNoValue || isConstant(graph, input); });
        return ofActivations ? producer : kNoNode;
    }
    const bool shapes = isOneOf(
        node.op, {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Cast", "Clip", "Tanh"});
    const bool combines = isOneOf(node.op, {"Mul", "Div", "Add", "Sub", "Where", "Max"});
    const std::size_t first = node.op == "Where" ? 1 : 0; // its condition is no score
    const std::size_t end = shapes ? 1 : combines ? node.inputs.size() : 0;
    for (std::size_t i = first; i < end && i < node.inputs.size(); ++i) {
        const NodeId scores = findScores(graph, node.inputs[i], seen);
        if (scores != kNoNode) {
            return scores;
        }
    }
    return kNoNode;
}

/// From the probabilities on to the MatMul with the value.
NodeId findContext(const Graph& graph, ValueId probabilities, std::set<NodeId>& seen)
{
    for (const NodeId reader : graph.value(probabilities).consumers) {
        const Node& node = graph.node(reader);
        if (node.op == "MatMul" && node.inputs.size() == 2 && node.inputs[0] == probabilities
            && node.inputs[1] != kNoValue && !isConstant(graph, node.inputs[1])) {
            return reader;
        }
    }
    for (const NodeId reader : graph.value(probabilities).consumers) {
        const Node& node = graph.node(reader);
        if (node.inputs.front() == probabilities && !node.outputs.empty() && seen.size() <= kMost
            && isOneOf(node.op, {"Reshape", "Squeeze", "Unsqueeze", "Cast", "Where", "Mul", "Dropout"})
            && seen.insert(reader).second) {
            const NodeId context = findContext(graph, node.outputs.front(), seen);
            if (context != kNoNode) {
                return context;
            }
        }
    }
    return kNoNode;
}

bool movesElements(std::string_view op)
{
    return isOneOf(op,
        {"Reshape", "Transpose", "Split", "Squeeze", "Unsqueeze", "Gather", "Slice", "Identity", "Cast",
            "Flatten", "Expand", "Tile", "Dropout"});
}

/// Collects the linears behind a value of the heads.
class LinearSearch
{
public:
    explicit LinearSearch(const Graph& graph)
        : m_graph(graph)
    {
    }

    void visit(ValueId value, bool behindNorm = false)
    {
        const NodeId producer = value == kNoValue ? kNoNode : m_graph.value(value).producer;
        if (producer == kNoNode || !m_seen.insert(producer).second) {
            return;
        }
        const Node& node = m_graph.node(producer);
        if (node.inputs.empty()) {
            return;
        }
        if (node.op == "Linear") {
            m_found.push_back(producer);
        } else if (movesElements(node.op)) {
            visit(node.inputs.front(), behindNorm);
        } else if (isOneOf(node.op, {"LayerNormalization", "RMSNormalization", "RotaryEmbedding"})) {
            visit(node.inputs.front(), true);
        } else if (!behindNorm && isOneOf(node.op, {"Mul", "Div", "Add", "Sub", "Neg", "Concat", "Where"})) {
            for (const ValueId input : node.inputs) {
                visit(input, behindNorm);
            }
        }
    }
    [[nodiscard]] const std::vector<NodeId>& found() const { return m_found; }

private:
    const Graph& m_graph;
    std::set<NodeId> m_seen;
    std::vector<NodeId> m_found;
};

} // namespace

std::vector<AttentionPattern> findAttention(const Graph& graph)
{
    std::vector<AttentionPattern> found;
    const auto count = static_cast<NodeId>(graph.nodes().size());
    for (NodeId id = 0; id < count; ++id) {
        const Node& softmax = graph.node(id);
        if (softmax.op != "Softmax" || softmax.inputs.empty()) {
            continue;
        }
        std::set<NodeId> before;
        std::set<NodeId> behind;
        const NodeId scores = findScores(graph, softmax.inputs.front(), before);
        const NodeId context
            = scores == kNoNode ? kNoNode : findContext(graph, softmax.outputs.front(), behind);
        if (context != kNoNode) {
            found.push_back({scores, id, context});
        }
    }
    return found;
}

std::array<std::vector<NodeId>, 3> operandLinears(const Graph& graph, const AttentionPattern& pattern)
{
    const Node& scores = graph.node(pattern.scores);
    const std::array<ValueId, 3> operands {
        scores.inputs[0], scores.inputs[1], graph.node(pattern.context).inputs[1]};
    std::array<std::vector<NodeId>, 3> linears;
    for (std::size_t i = 0; i < operands.size(); ++i) {
        LinearSearch search(graph);
        search.visit(operands[i]);
        linears[i] = search.found();
    }
    return linears;
}

ValueId originOf(const Graph& graph, ValueId value)
{
    for (;;) {
        const NodeId producer = graph.value(value).producer;
        if (producer == kNoNode) {
            return value;
        }
        const Node& node = graph.node(producer);
        const bool scaling = node.op == "Mul" || node.op == "Div"; // by a constant only
        if ((!scaling && !movesElements(node.op)) || node.inputs.empty()) {
            return value;
        }
        const ValueId input
            = scaling ? onlyComputedInput(graph, node).value_or(kNoValue) : node.inputs.front();
        if (input == kNoValue) {
            return value;
        }
        value = input;
    }
}

} // namespace qs
