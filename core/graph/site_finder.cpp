#include "core/graph/attention_pattern.h"
#include "core/graph/graph_queries.h"
#include "core/graph/layer_path.h"
#include "core/graph/site.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

namespace qs {

namespace {

bool isNormalization(std::string_view op)
{
    return op == "LayerNormalization" || op == "RMSNormalization";
}

bool isActivationFunction(std::string_view op)
{
    return isOneOf(op, {"Gelu", "Relu", "Swish", "HardSwish"});
}

/// What happens to the numbers a model is given before the transformer begins.
struct SignalPath
{
    /// Nodes that see input numbers (not token ids) before any normalization, softmax or activation function.
    std::vector<bool> isRaw;
    /// Raw nodes that lead to a logarithm: the spectrum of a sound, whose powers span so many octaves that no
    /// uniform quantizer holds them (measured on KWT-1, numerics.md).
    std::set<NodeId> frontEnd;
};

SignalPath findSignalPath(const Graph& graph)
{
    const auto count = static_cast<NodeId>(graph.nodes().size());
    std::vector<bool> carriesSignal(graph.values().size());
    for (const ValueId input : graph.inputs()) {
        carriesSignal[static_cast<std::size_t>(input)] = graph.value(input).dtype == DType::F32;
    }
    SignalPath path {std::vector<bool>(graph.nodes().size()), {}};
    std::vector<NodeId> open;
    for (NodeId id = 0; id < count; ++id) {
        const Node& node = graph.node(id);
        const bool isRaw = std::ranges::any_of(node.inputs, [&](ValueId input) {
            return input != kNoValue && carriesSignal[static_cast<std::size_t>(input)];
        });
        path.isRaw[static_cast<std::size_t>(id)] = isRaw;
        const bool begins = isNormalization(node.op) || isActivationFunction(node.op) || node.op == "Softmax";
        for (const ValueId output : node.outputs) {
            carriesSignal[static_cast<std::size_t>(output)] = isRaw && !begins;
        }
        if (node.op == "Log" && isRaw) {
            open.push_back(id);
        }
    }
    while (!open.empty()) {
        const NodeId id = open.back();
        open.pop_back();
        if (path.isRaw[static_cast<std::size_t>(id)] && path.frontEnd.insert(id).second) {
            for (const ValueId input : graph.node(id).inputs) {
                if (input != kNoValue && graph.value(input).producer != kNoNode) {
                    open.push_back(graph.value(input).producer);
                }
            }
        }
    }
    return path;
}

class SiteFinder
{
public:
    explicit SiteFinder(const Graph& graph);
    std::vector<Site> find();

private:
    [[nodiscard]] NodeId producerOfOrigin(ValueId value) const
    {
        return m_graph.value(originOf(m_graph, value)).producer;
    }
    [[nodiscard]] bool comesFrom(ValueId value, bool (*matches)(std::string_view op)) const;
    /// Whether the value is an activation function's, or that times another linear (SwiGLU).
    [[nodiscard]] bool isActivated(ValueId value) const;
    /// Whether the linear makes a graph output, at most averaged with other linears.
    [[nodiscard]] bool isHead(NodeId linear) const;
    [[nodiscard]] Role roleOfLinear(NodeId linear) const;
    void add(Site site, NodeId layer);
    void addWeight(NodeId id, Role role, int axis);
    void addConv(NodeId id);
    void addLinear(NodeId id);
    void addOperand(
        std::string_view name, Role role, const AttentionPattern& pattern, NodeId node, int input);

    const Graph& m_graph;
    std::map<NodeId, AttentionPattern> m_attentionOf; ///< by either of its MatMuls
    SignalPath m_signal;
    std::set<NodeId> m_operandLinears; ///< linears whose result is a query, key or value
    std::set<ValueId> m_done; ///< values that have their input or weight site
    std::set<std::string> m_names;
    std::vector<Site> m_sites;
};

SiteFinder::SiteFinder(const Graph& graph)
    : m_graph(graph)
    , m_signal(findSignalPath(graph))
{
    for (const AttentionPattern& pattern : findAttention(graph)) {
        m_attentionOf[pattern.scores] = pattern;
        m_attentionOf[pattern.context] = pattern;
        for (const std::vector<NodeId>& linears : operandLinears(graph, pattern)) {
            m_operandLinears.insert(linears.begin(), linears.end());
        }
    }
}

bool SiteFinder::comesFrom(ValueId value, bool (*matches)(std::string_view op)) const
{
    const NodeId producer = value == kNoValue ? kNoNode : producerOfOrigin(value);
    return producer != kNoNode && matches(m_graph.node(producer).op);
}

bool SiteFinder::isActivated(ValueId value) const
{
    const NodeId producer = producerOfOrigin(value);
    if (producer == kNoNode) {
        return false;
    }
    const Node& node = m_graph.node(producer);
    if (node.op == "Add" && node.inputs.size() == 2 && scalarOf(m_graph, node.inputs[1])) {
        return comesFrom(node.inputs[0], isActivationFunction); // shifted, so that nothing is negative
    }
    return isActivationFunction(node.op)
        || (node.op == "Mul" && std::ranges::any_of(node.inputs, [this](ValueId input) {
               return comesFrom(input, isActivationFunction);
           }));
}

bool SiteFinder::isHead(NodeId linear) const
{
    constexpr int kLongest = 4; // nodes between the linear and the output
    const auto& outputs = m_graph.outputs();
    ValueId value = m_graph.node(linear).outputs.front();
    for (int step = 0; step < kLongest; ++step) {
        if (std::ranges::find(outputs, value) != outputs.end()) {
            return true;
        }
        const std::vector<NodeId>& readers = m_graph.value(value).consumers;
        if (readers.size() != 1) {
            return false;
        }
        const Node& reader = m_graph.node(readers.front());
        const bool joinsLinears
            = reader.op == "Add" && std::ranges::all_of(reader.inputs, [this](ValueId input) {
                  const NodeId producer = input == kNoValue ? kNoNode : m_graph.value(input).producer;
                  return producer != kNoNode && m_graph.node(producer).op == "Linear";
              });
        const bool passes = reader.op == "Mul" || reader.op == "Div" || reader.op == "Softmax"
            || reader.op == "LogSoftmax" || reader.op == "Reshape" || reader.op == "Squeeze"
            || reader.op == "Identity";
        if ((!joinsLinears && !passes) || reader.outputs.empty()) {
            return false;
        }
        value = reader.outputs.front();
    }
    return false;
}

Role SiteFinder::roleOfLinear(NodeId linear) const
{
    if (m_signal.frontEnd.contains(linear)) {
        return Role::FrontEnd;
    }
    const ValueId input = m_graph.node(linear).inputs.front();
    const bool afterNorm = comesFrom(input, isNormalization);
    if (m_operandLinears.contains(linear)) {
        return afterNorm ? Role::PostNormQkv : Role::Other;
    }
    const NodeId producer = producerOfOrigin(input);
    const auto attention = m_attentionOf.find(producer);
    if (attention != m_attentionOf.end() && attention->second.context == producer) {
        return Role::Projection;
    }
    if (isHead(linear)) {
        return Role::Head;
    }
    if (isActivated(input)) {
        return Role::PostGeluFc2;
    }
    if (m_signal.isRaw[static_cast<std::size_t>(linear)]) {
        return Role::PatchEmbedding;
    }
    return afterNorm ? Role::PostNormFc1 : Role::Other;
}

void SiteFinder::add(Site site, NodeId layer)
{
    const std::string wanted = site.name;
    for (int i = 2; !m_names.insert(site.name).second; ++i) {
        site.name = wanted + "_" + std::to_string(i);
    }
    site.layer = m_graph.node(layer).name;
    site.block = blockOf(site.layer);
    m_sites.push_back(std::move(site));
}

void SiteFinder::addWeight(NodeId id, Role role, int axis)
{
    const Node& node = m_graph.node(id);
    const ValueId weight = node.inputs[1];
    if (weight == kNoValue || !m_graph.value(weight).isConstant() || !m_done.insert(weight).second) {
        return;
    }
    Site site;
    site.name = node.name + ".weight";
    site.kind = SiteKind::Weight;
    site.role = role;
    site.value = weight;
    for (const NodeId reader : m_graph.value(weight).consumers) { // tied weights have several
        const Node& other = m_graph.node(reader);
        if (other.op == node.op && other.inputs.size() > 1 && other.inputs[1] == weight
            && other.intAttribute("transB", 0) == node.intAttribute("transB", 0)) {
            site.readers.emplace_back(reader, 1);
        }
    }
    site.weightAxis = axis;
    site.groups = m_graph.value(weight).constant.shape()[static_cast<std::size_t>(axis)];
    add(std::move(site), id);
}

void SiteFinder::addConv(NodeId id)
{
    const Node& node = m_graph.node(id);
    const Value& weight = m_graph.value(node.inputs[1]);
    if (!weight.isConstant() || weight.constant.shape().rank() < 3) {
        return;
    }
    const auto& inputs = m_graph.inputs();
    const bool readsInput = std::ranges::find(inputs, originOf(m_graph, node.inputs[0])) != inputs.end();
    const Role role = m_signal.frontEnd.contains(id) ? Role::FrontEnd
        : readsInput                                 ? Role::PatchEmbedding
                                                     : Role::Other;
    if (m_done.insert(node.inputs[0]).second) {
        Site site;
        site.name = node.name + ".input";
        site.role = role;
        site.value = node.inputs[0];
        site.readers = {{id, 0}};
        site.groupAxis = GroupAxis::Head; // dimension 1 of the value: its channels
        site.groups = weight.constant.shape()[1] * node.intAttribute("group", 1);
        add(std::move(site), id);
    }
    addWeight(id, role, 0);
}

void SiteFinder::addLinear(NodeId id)
{
    const Node& node = m_graph.node(id);
    const Value& weight = m_graph.value(node.inputs[1]);
    if (!weight.isConstant() || weight.constant.shape().rank() != 2) {
        return;
    }
    const bool transposed = node.intAttribute("transB", 0) != 0;
    const Role role = roleOfLinear(id);
    if (m_done.insert(node.inputs[0]).second) {
        Site site;
        site.role = role;
        site.value = node.inputs[0];
        bool allOperands = true;
        for (const NodeId reader : m_graph.value(site.value).consumers) {
            const Node& other = m_graph.node(reader);
            if (other.op == "Linear" && other.inputs.front() == site.value) {
                site.readers.emplace_back(reader, 0);
                allOperands = allOperands && m_operandLinears.contains(reader);
            }
        }
        const std::string parent = parentOf(node.name);
        const bool shared = site.readers.size() > 1 && allOperands;
        site.name = (shared ? parent + (parent.empty() ? "qkv" : ".qkv") : node.name) + ".input";
        site.groups = weight.constant.shape()[transposed ? 1 : 0];
        add(std::move(site), id);
    }
    addWeight(id, role, transposed ? 0 : 1);
}

void SiteFinder::addOperand(
    std::string_view name, Role role, const AttentionPattern& pattern, NodeId node, int input)
{
    Site site;
    site.role = role;
    site.value = m_graph.node(node).inputs[static_cast<std::size_t>(input)];
    site.readers = {{node, input}};
    const Value& operand = m_graph.value(site.value);
    if (operand.isConstant()) {
        return;
    }
    if (role == Role::Key && operand.producer != kNoNode && operand.consumers.size() == 1) {
        const Node& producer = m_graph.node(operand.producer);
        const std::vector<std::int64_t> order = producer.intsAttribute("perm");
        if (producer.op == "Transpose" && order == std::vector<std::int64_t> {0, 1, 3, 2}) {
            site.value = producer.inputs.front();
            site.readers = {{operand.producer, 0}};
        }
    }
    const std::string parent = parentOf(m_graph.node(pattern.softmax).name);
    site.name = (parent.empty() ? m_graph.node(pattern.softmax).name : parent) + "." + std::string(name);
    site.groupAxis = GroupAxis::Head;
    const std::vector<std::int64_t>& dims = m_graph.value(site.value).dims;
    site.groups = dims.size() == 4 && dims[1] > 0 ? dims[1] : 1;
    if (dims.size() == 3 && dims[2] > 0) { // no dimension of heads: [B, T, d]
        site.groupAxis = GroupAxis::Channel;
        site.groups = dims[2];
    }
    add(std::move(site), node);
}

std::vector<Site> SiteFinder::find()
{
    const auto count = static_cast<NodeId>(m_graph.nodes().size());
    for (NodeId id = 0; id < count; ++id) {
        const Node& node = m_graph.node(id);
        const bool hasOperands
            = node.inputs.size() >= 2 && node.inputs[0] != kNoValue && node.inputs[1] != kNoValue;
        if (!hasOperands || node.outputs.empty()) {
            continue;
        }
        if (node.op == "Conv") {
            addConv(id);
        } else if (node.op == "Linear") {
            addLinear(id);
        } else if (const auto it = m_attentionOf.find(id); it != m_attentionOf.end()) {
            const AttentionPattern& pattern = it->second;
            if (id == pattern.scores) {
                addOperand("query", Role::Query, pattern, id, 0);
                addOperand("key", Role::Key, pattern, id, 1);
            } else {
                addOperand("softmax", Role::Softmax, pattern, id, 0);
                addOperand("value", Role::Value, pattern, id, 1);
            }
        }
    }
    return std::move(m_sites);
}

} // namespace

std::vector<Site> findSites(const Graph& graph)
{
    return SiteFinder(graph).find();
}

} // namespace qs
