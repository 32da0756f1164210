#include "core/graph/linear_recognition.h"

#include "core/graph/graph_builder.h"
#include "core/graph/shape_inference.h"

#include <algorithm>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace qs {

namespace {

class LinearRecogniser
{
public:
    explicit LinearRecogniser(const Graph& graph)
        : m_graph(graph)
        , m_made(graph.values().size(), kNoValue)
    {
        for (const Node& node : graph.nodes()) {
            m_names.insert(node.name);
        }
    }

    std::shared_ptr<const Graph> rebuild();

private:
    /// What a node becomes: `last` is the node whose output the Linear makes.
    struct Linear
    {
        ValueId x = kNoValue;
        ValueId weight = kNoValue;
        ValueId bias = kNoValue;
        std::int64_t transB = 0;
        NodeId last = kNoNode;
    };

    [[nodiscard]] bool isConstantOfRank(ValueId value, std::size_t rank) const
    {
        return value != kNoValue && m_graph.value(value).isConstant()
            && m_graph.value(value).constant.shape().rank() == rank;
    }
    [[nodiscard]] bool linearOf(NodeId id, Linear& linear) const;
    [[nodiscard]] bool gemmOf(const Node& node, Linear& linear) const;
    void takeBias(Linear& linear) const;
    [[nodiscard]] std::string nameFor(const Node& node);
    ValueId made(ValueId original);
    void copy(const Node& node);
    void record(const Node& original, const std::vector<ValueId>& outputs);

    const Graph& m_graph;
    GraphBuilder m_builder;
    std::vector<ValueId> m_made;
    std::unordered_set<std::string> m_names;
};

bool LinearRecogniser::gemmOf(const Node& node, Linear& linear) const
{
    if (node.floatAttribute("alpha", 1.0) != 1.0 || node.floatAttribute("beta", 1.0) != 1.0
        || node.intAttribute("transA", 0) != 0) {
        return false;
    }
    linear.transB = node.intAttribute("transB", 0) != 0 ? 1 : 0;
    if (node.inputs.size() < 3 || node.inputs[2] == kNoValue) {
        return true;
    }
    linear.bias = node.inputs[2];
    return isConstantOfRank(linear.bias, 1)
        && m_graph.value(linear.bias).constant.elementCount()
        == m_graph.value(linear.weight).constant.shape()[linear.transB != 0 ? 0 : 1];
}

void LinearRecogniser::takeBias(Linear& linear) const
{
    const ValueId product = m_graph.node(linear.last).outputs.front();
    const auto& readers = m_graph.value(product).consumers;
    if (readers.size() != 1 || std::ranges::find(m_graph.outputs(), product) != m_graph.outputs().end()) {
        return;
    }
    const Node& reader = m_graph.node(readers.front());
    if (reader.op != "Add" || reader.inputs.size() != 2) {
        return;
    }
    const ValueId bias = reader.inputs[reader.inputs[0] == product ? 1 : 0];
    if (isConstantOfRank(bias, 1)
        && m_graph.value(bias).constant.elementCount() == m_graph.value(linear.weight).constant.shape()[1]) {
        linear.bias = bias;
        linear.last = readers.front();
    }
}

bool LinearRecogniser::linearOf(NodeId id, Linear& linear) const
{
    const Node& node = m_graph.node(id);
    if ((node.op != "MatMul" && node.op != "Gemm") || node.inputs.size() < 2 || node.outputs.size() != 1
        || node.inputs[0] == kNoValue || m_graph.value(node.inputs[0]).isConstant()
        || !isConstantOfRank(node.inputs[1], 2)) {
        return false;
    }
    linear = {node.inputs[0], node.inputs[1], kNoValue, 0, id};
    if (node.op == "Gemm") {
        return gemmOf(node, linear);
    }
    takeBias(linear);
    return true;
}

std::string LinearRecogniser::nameFor(const Node& node)
{
    const std::size_t dot = node.name.rfind('.');
    if (dot == std::string::npos || dot == 0 || node.name.compare(dot + 1, std::string::npos, node.op) != 0) {
        return node.name;
    }
    std::string shorter = node.name.substr(0, dot);
    return m_names.insert(shorter).second ? shorter : node.name;
}

ValueId LinearRecogniser::made(ValueId original)
{
    if (original == kNoValue) {
        return kNoValue;
    }
    ValueId& target = m_made[static_cast<std::size_t>(original)];
    if (target == kNoValue && m_graph.value(original).isConstant()) {
        target = m_builder.addConstant(m_graph.value(original).name, m_graph.value(original).constant);
    }
    return target;
}

void LinearRecogniser::record(const Node& original, const std::vector<ValueId>& outputs)
{
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const Value& value = m_graph.value(original.outputs[i]);
        m_made[static_cast<std::size_t>(original.outputs[i])] = outputs[i];
        if (value.dimsKnown) {
            m_builder.setDims(outputs[i], value.dims, value.dtype);
        }
    }
    inferShapes(m_builder, m_builder.lastNode());
}

void LinearRecogniser::copy(const Node& node)
{
    std::vector<ValueId> inputs;
    for (const ValueId input : node.inputs) {
        inputs.push_back(made(input));
    }
    std::vector<std::string> names;
    for (const ValueId output : node.outputs) {
        names.push_back(m_graph.value(output).name);
    }
    const bool carriesWeight = node.op == "Conv" || node.op == "LayerNormalization";
    record(node,
        m_builder.addNodeWithOutputs(node.op, carriesWeight ? nameFor(node) : node.name, std::move(inputs),
            std::move(names), node.attributes));
}

std::shared_ptr<const Graph> LinearRecogniser::rebuild()
{
    for (const ValueId input : m_graph.inputs()) {
        const Value& value = m_graph.value(input);
        m_made[static_cast<std::size_t>(input)] = value.dimsKnown
            ? m_builder.addInput(value.name, value.dtype, value.dims)
            : m_builder.addInput(value.name, value.dtype);
    }
    std::vector<bool> absorbed(m_graph.nodes().size(), false);
    for (NodeId id = 0; static_cast<std::size_t>(id) < m_graph.nodes().size(); ++id) {
        if (absorbed[static_cast<std::size_t>(id)]) {
            continue;
        }
        const Node& node = m_graph.node(id);
        Linear linear;
        if (!linearOf(id, linear)) {
            copy(node);
            continue;
        }
        absorbed[static_cast<std::size_t>(linear.last)] = true;
        std::vector<ValueId> inputs {made(linear.x), made(linear.weight)};
        if (linear.bias != kNoValue) {
            inputs.push_back(made(linear.bias));
        }
        const Node& last = m_graph.node(linear.last);
        record(last,
            m_builder.addNodeWithOutputs("Linear", nameFor(node), std::move(inputs),
                {m_graph.value(last.outputs.front()).name}, {{"transB", linear.transB}}));
    }
    for (const ValueId output : m_graph.outputs()) {
        m_builder.addOutput(made(output));
    }
    return m_builder.build();
}

} // namespace

std::shared_ptr<const Graph> recogniseLinears(const Graph& graph)
{
    return LinearRecogniser(graph).rebuild();
}

} // namespace qs
