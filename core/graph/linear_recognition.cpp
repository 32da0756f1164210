#include "core/graph/linear_recognition.h"

#include "core/graph/graph_queries.h"
#include "core/graph/graph_rewriter.h"
#include "core/graph/layer_path.h"

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
        return isConstant(m_graph, value) && m_graph.value(value).constant.shape().rank() == rank;
    }
    [[nodiscard]] bool linearOf(NodeId id, Linear& linear) const;
    [[nodiscard]] bool gemmOf(const Node& node, Linear& linear) const;
    void takeBias(Linear& linear) const;
    [[nodiscard]] std::string nameFor(const Node& node);

    const Graph& m_graph;
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
    const NodeId readerId = onlyReader(m_graph, product);
    if (readerId == kNoNode) {
        return;
    }
    const Node& reader = m_graph.node(readerId);
    const ValueId bias = operandBeside(reader, product);
    if (reader.op == "Add" && isConstantOfRank(bias, 1)
        && m_graph.value(bias).constant.elementCount() == m_graph.value(linear.weight).constant.shape()[1]) {
        linear.bias = bias;
        linear.last = readerId;
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
    const std::string layer = layerOfNode(node.name);
    return !layer.empty() && m_names.insert(layer).second ? layer : node.name;
}

std::shared_ptr<const Graph> LinearRecogniser::rebuild()
{
    GraphRewriter rewriter(m_graph);
    std::unordered_set<NodeId> absorbed;
    for (NodeId id = 0; static_cast<std::size_t>(id) < m_graph.nodes().size(); ++id) {
        const Node& node = m_graph.node(id);
        Linear linear;
        if (absorbed.contains(id)) {
            continue;
        }
        if (linearOf(id, linear)) {
            absorbed.insert(linear.last);
            rewriter.releaseName(node);
            std::vector<ValueId> inputs {rewriter.made(linear.x), rewriter.made(linear.weight)};
            if (linear.bias != kNoValue) {
                inputs.push_back(rewriter.made(linear.bias));
            }
            rewriter.addFor(m_graph.node(linear.last).outputs.front(), "Linear", nameFor(node),
                std::move(inputs), {{"transB", linear.transB}});
        } else {
            rewriter.copy(node);
        }
    }
    return rewriter.finish();
}

} // namespace

std::shared_ptr<const Graph> recogniseLinears(const Graph& graph)
{
    return LinearRecogniser(graph).rebuild();
}

} // namespace qs
