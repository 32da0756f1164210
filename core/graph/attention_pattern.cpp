#include "core/graph/attention_pattern.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace qs {

namespace {

template<std::size_t N>
bool isOneOf(std::string_view op, const std::array<std::string_view, N>& list)
{
    return std::ranges::find(list, op) != list.end();
}

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

/// From the softmax's input back over scaling and masking to the MatMul that makes the scores.
NodeId findScores(const Graph& graph, ValueId value)
{
    constexpr std::array<std::string_view, 4> kBetween {"Mul", "Div", "Add", "Where"};
    constexpr int kLongest = 6; // nodes between the MatMul and the softmax
    for (int step = 0; step < kLongest; ++step) {
        const NodeId producer = graph.value(value).producer;
        if (producer == kNoNode) {
            return kNoNode;
        }
        const Node& node = graph.node(producer);
        if (node.op == "MatMul") {
            return producer;
        }
        if (!isOneOf(node.op, kBetween) || node.inputs.empty()) {
            return kNoNode;
        }
        // A computed mask is the second operand of Add, the scores the second of Where.
        const std::size_t scores = node.op == "Where" && node.inputs.size() > 1 ? 1 : 0;
        value = onlyComputedInput(graph, node).value_or(node.inputs[scores]);
        if (value == kNoValue) {
            return kNoNode;
        }
    }
    return kNoNode;
}

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
        const NodeId scores = findScores(graph, softmax.inputs.front());
        if (scores == kNoNode || graph.node(scores).inputs.size() != 2) {
            continue;
        }
        for (const NodeId reader : graph.value(softmax.outputs.front()).consumers) {
            const Node& context = graph.node(reader);
            if (context.op == "MatMul" && context.inputs.size() == 2
                && context.inputs[0] == softmax.outputs.front()
                && !graph.value(context.inputs[1]).isConstant()) {
                found.push_back({scores, id, reader});
                break;
            }
        }
    }
    return found;
}

ValueId originOf(const Graph& graph, ValueId value)
{
    constexpr std::array<std::string_view, 12> kMoving {"Reshape", "Transpose", "Split", "Squeeze",
        "Unsqueeze", "Gather", "Slice", "Identity", "Cast", "Flatten", "Mul", "Div"};
    for (;;) {
        const NodeId producer = graph.value(value).producer;
        if (producer == kNoNode || !isOneOf(graph.node(producer).op, kMoving)) {
            return value;
        }
        const Node& node = graph.node(producer);
        const bool scaling = node.op == "Mul" || node.op == "Div"; // by a constant only
        const ValueId input = scaling ? onlyComputedInput(graph, node).value_or(kNoValue)
            : node.inputs.empty()     ? kNoValue
                                      : node.inputs.front();
        if (input == kNoValue) {
            return value;
        }
        value = input;
    }
}

} // namespace qs
