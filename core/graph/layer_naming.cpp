#include "core/graph/layer_naming.h"

#include "core/graph/attention_pattern.h"
#include "core/graph/graph_queries.h"
#include "core/graph/graph_rewriter.h"
#include "core/graph/layer_path.h"

#include <array>
#include <map>

namespace qs {

namespace {

bool carriesName(std::string_view op)
{
    return isOneOf(op, {"Linear", "Conv", "LayerNormalization", "RMSNormalization", "Gelu", "Swish"});
}

/// Decides the names, node by node.
class LayerNamer
{
public:
    explicit LayerNamer(const Graph& graph)
        : m_graph(graph)
        , m_patterns(findAttention(graph))
    {
    }

    /// New names by node; a node that keeps its own is not in the map.
    std::map<NodeId, std::string> names();

private:
    [[nodiscard]] std::string givenName(const Node& node) const;
    void nameByPosition(std::size_t attention);
    void nameTheRest();
    void nameAttention(const AttentionPattern& pattern);
    void set(NodeId node, std::string name) { m_names.try_emplace(node, std::move(name)); }

    const Graph& m_graph;
    std::vector<AttentionPattern> m_patterns;
    std::map<NodeId, std::string> m_names;
};

std::string LayerNamer::givenName(const Node& node) const
{
    std::string name = layerOfNode(node.name);
    for (std::size_t i = node.inputs.size(); name.empty() && i > 1; --i) { // biases have the cleaner names
        const ValueId parameter = node.inputs[i - 1];
        if (isConstant(m_graph, parameter)) {
            name = layerOfParameter(m_graph.value(parameter).name);
        }
    }
    return name;
}

void LayerNamer::nameByPosition(std::size_t attention)
{
    const AttentionPattern& pattern = m_patterns[attention];
    const std::string path = "block" + std::to_string(attention) + ".attn.";
    const auto linears = operandLinears(m_graph, pattern);
    const bool packed = linears[0] == linears[1] && linears[1] == linears[2];
    constexpr std::array kParts {"q", "k", "v"};
    for (std::size_t i = 0; i < linears.size(); ++i) {
        for (const NodeId linear : linears[i]) {
            set(linear, path + (packed ? "qkv" : kParts[i]));
        }
    }
    for (NodeId id = pattern.context; static_cast<std::size_t>(id) < m_graph.nodes().size(); ++id) {
        const Node& node = m_graph.node(id);
        if (node.op == "Linear" && !node.inputs.empty() && node.inputs.front() != kNoValue
            && m_graph.value(originOf(m_graph, node.inputs.front())).producer == pattern.context) {
            set(id, path + "proj");
        }
    }
}

/// Linears that belong to no attention: numbered within their block.
void LayerNamer::nameTheRest()
{
    std::size_t block = 0; // attentions that are over
    int number = 0;
    for (NodeId id = 0; static_cast<std::size_t>(id) < m_graph.nodes().size(); ++id) {
        if (block < m_patterns.size() && id == m_patterns[block].context) {
            ++block;
            number = 0;
        }
        const Node& node = m_graph.node(id);
        if ((node.op == "Linear" || node.op == "Conv") && !m_names.contains(id)) {
            const std::string path = block == 0 ? "stem." : "block" + std::to_string(block - 1) + ".mlp.";
            const bool isOutput = isGraphOutput(m_graph, node.outputs.front());
            const std::string what = node.op == "Conv" ? "conv" : "fc";
            set(id, isOutput && block > 0 ? "head" : path + what + std::to_string(++number));
        }
    }
}

void LayerNamer::nameAttention(const AttentionPattern& pattern)
{
    std::vector<std::string> paths;
    for (const std::vector<NodeId>& linears : operandLinears(m_graph, pattern)) {
        for (const NodeId linear : linears) {
            const auto named = m_names.find(linear);
            paths.push_back(named == m_names.end() ? m_graph.node(linear).name : named->second);
        }
    }
    const std::string parent = commonParentOf(paths);
    if (parent.empty()) {
        return;
    }
    const auto name = [&](NodeId node, const char* suffix) {
        if (layerOfNode(m_graph.node(node).name).empty()) {
            set(node, parent + suffix);
        }
    };
    name(pattern.scores, ".scores");
    name(pattern.softmax, ".softmax");
    name(pattern.context, ".context");
}

std::map<NodeId, std::string> LayerNamer::names()
{
    for (NodeId id = 0; static_cast<std::size_t>(id) < m_graph.nodes().size(); ++id) {
        const Node& node = m_graph.node(id);
        if (carriesName(node.op)) {
            std::string name = givenName(node);
            if (!name.empty()) {
                set(id, std::move(name));
            }
        }
    }
    for (std::size_t i = 0; i < m_patterns.size(); ++i) {
        nameByPosition(i);
    }
    nameTheRest();
    for (const AttentionPattern& pattern : m_patterns) {
        nameAttention(pattern);
    }
    return std::move(m_names);
}

} // namespace

std::shared_ptr<const Graph> nameLayers(const Graph& graph)
{
    const std::map<NodeId, std::string> names = LayerNamer(graph).names();
    GraphRewriter rewriter(graph);
    for (const auto& [id, name] : names) {
        rewriter.releaseName(graph.node(id));
    }
    for (NodeId id = 0; static_cast<std::size_t>(id) < graph.nodes().size(); ++id) {
        const Node& node = graph.node(id);
        const auto name = names.find(id);
        if (name != names.end() && node.outputs.size() == 1) {
            rewriter.addFor(
                node.outputs.front(), node.op, name->second, rewriter.inputsOf(node), node.attributes);
        } else {
            rewriter.copy(node);
        }
    }
    return rewriter.finish();
}

} // namespace qs
