#include "core/graph/graph_builder.h"

#include "core/base/error.h"

#include <utility>

namespace qs {

ValueId GraphBuilder::addValue(const std::string& name)
{
    if (!m_valueNames.insert(name).second) {
        throw Error(ErrorCode::CorruptFile, "the graph defines the value '" + name + "' twice");
    }
    Value value;
    value.name = name;
    m_graph->m_values.push_back(std::move(value));
    return static_cast<ValueId>(m_graph->m_values.size()) - 1;
}

ValueId GraphBuilder::addInput(const std::string& name, DType dtype, std::vector<std::int64_t> dims)
{
    const ValueId id = addValue(name);
    setDims(id, std::move(dims), dtype);
    m_graph->m_inputs.push_back(id);
    return id;
}

ValueId GraphBuilder::addInput(const std::string& name, DType dtype)
{
    const ValueId id = addValue(name);
    m_graph->m_values[static_cast<std::size_t>(id)].dtype = dtype;
    m_graph->m_inputs.push_back(id);
    return id;
}

ValueId GraphBuilder::addConstant(const std::string& name, Tensor tensor)
{
    const ValueId id = addValue(name);
    setDims(id, tensor.shape().dims(), tensor.dtype());
    m_graph->m_values[static_cast<std::size_t>(id)].constant = std::move(tensor);
    return id;
}

ValueId GraphBuilder::addNode(std::string op, std::string name, std::vector<ValueId> inputs,
    std::map<std::string, Attribute> attributes)
{
    std::string output = m_valueNames.contains(name) ? name + ".output" : name;
    return addNodeWithOutputs(
        std::move(op), std::move(name), std::move(inputs), {std::move(output)}, std::move(attributes))
        .front();
}

std::vector<ValueId> GraphBuilder::addNodeWithOutputs(std::string op, std::string name,
    std::vector<ValueId> inputs, std::vector<std::string> outputNames,
    std::map<std::string, Attribute> attributes)
{
    if (!m_nodeNames.insert(name).second) {
        throw Error(ErrorCode::CorruptFile, "the graph has two nodes named '" + name + "'");
    }
    const auto id = static_cast<NodeId>(m_graph->m_nodes.size());
    for (const ValueId input : inputs) {
        if (input == kNoValue) {
            continue;
        }
        if (input < 0 || static_cast<std::size_t>(input) >= m_graph->m_values.size()) {
            throw Error(
                ErrorCode::CorruptFile, "node '" + name + "' (" + op + ") reads a value that does not exist");
        }
        m_graph->m_values[static_cast<std::size_t>(input)].consumers.push_back(id);
    }
    Node node {std::move(op), std::move(name), std::move(inputs), {}, std::move(attributes)};
    for (std::size_t i = 0; i < outputNames.size(); ++i) {
        std::string outputName = std::move(outputNames[i]);
        if (outputName.empty()) {
            outputName = node.name + ".unused." + std::to_string(i);
        }
        const ValueId output = addValue(outputName);
        m_graph->m_values[static_cast<std::size_t>(output)].producer = id;
        node.outputs.push_back(output);
    }
    m_graph->m_nodes.push_back(std::move(node));
    return m_graph->m_nodes.back().outputs;
}

void GraphBuilder::addOutput(ValueId value)
{
    m_graph->m_outputs.push_back(value);
}

void GraphBuilder::setDims(ValueId value, std::vector<std::int64_t> dims, DType dtype)
{
    Value& target = m_graph->m_values[static_cast<std::size_t>(value)];
    target.dims = std::move(dims);
    target.dimsKnown = true;
    target.dtype = dtype;
}

std::shared_ptr<const Graph> GraphBuilder::build()
{
    if (m_graph->m_outputs.empty()) {
        throw Error(ErrorCode::CorruptFile, "the graph has no output");
    }
    return std::exchange(m_graph, nullptr);
}

} // namespace qs
