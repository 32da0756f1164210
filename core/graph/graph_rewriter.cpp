#include "core/graph/graph_rewriter.h"

#include "core/base/error.h"
#include "core/graph/shape_inference.h"

#include <algorithm>
#include <utility>

namespace qs {

namespace {

std::size_t indexOf(int id)
{
    return static_cast<std::size_t>(id);
}

/// `name`, or "<name>.1", "<name>.2", …: the first that is in nobody's use; taken from then on.
std::string claimName(std::unordered_set<std::string>& taken, const std::string& name)
{
    std::string candidate = name;
    for (int number = 1; !taken.insert(candidate).second; ++number) {
        candidate = name + "." + std::to_string(number);
    }
    return candidate;
}

} // namespace

GraphRewriter::GraphRewriter(const Graph& graph)
    : m_graph(graph)
    , m_made(graph.values().size(), kNoValue)
    , m_inferred(graph.values().size(), false)
{
    for (const Value& value : graph.values()) {
        m_valueNames.insert(value.name);
    }
    for (const Node& node : graph.nodes()) {
        m_nodeNames.insert(node.name);
    }
    for (const ValueId input : graph.inputs()) {
        const Value& value = graph.value(input);
        m_made[indexOf(input)] = value.dimsKnown ? m_builder.addInput(value.name, value.dtype, value.dims)
                                                 : m_builder.addInput(value.name, value.dtype);
        m_inferred[indexOf(input)] = value.dimsKnown;
    }
}

ValueId GraphRewriter::made(ValueId original)
{
    if (original == kNoValue) {
        return kNoValue;
    }
    ValueId& target = m_made[indexOf(original)];
    if (target == kNoValue) {
        const Value& value = m_graph.value(original);
        if (!value.isConstant()) {
            throw Error(ErrorCode::Internal, "nothing stands for the value '" + value.name + "'");
        }
        target = m_builder.addConstant(value.name, value.constant);
    }
    return target;
}

std::vector<ValueId> GraphRewriter::inputsOf(const Node& node)
{
    std::vector<ValueId> inputs;
    for (const ValueId input : node.inputs) {
        inputs.push_back(made(input));
    }
    return inputs;
}

void GraphRewriter::copy(const Node& node)
{
    std::vector<std::string> names;
    for (const ValueId output : node.outputs) {
        names.push_back(m_graph.value(output).name);
    }
    const std::vector<ValueId> outputs
        = m_builder.addNodeWithOutputs(node.op, node.name, inputsOf(node), std::move(names), node.attributes);
    inferShapes(m_builder, m_builder.lastNode());
    const bool inputsInferred = std::ranges::all_of(node.inputs, [&](ValueId id) {
        return id == kNoValue || m_graph.value(id).isConstant() || m_inferred[indexOf(id)];
    });
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const ValueId original = node.outputs[i];
        m_made[indexOf(original)] = outputs[i];
        m_inferred[indexOf(original)] = inputsInferred && m_builder.value(outputs[i]).dimsKnown;
        takeRecordedDims(original);
    }
}

void GraphRewriter::takeRecordedDims(ValueId original)
{
    const Value& said = m_graph.value(original);
    const ValueId target = m_made[indexOf(original)];
    const Value& known = m_builder.value(target);
    if (!said.dimsKnown || known.isConstant()) {
        return;
    }
    std::vector<std::int64_t> dims = said.dims;
    if (known.dimsKnown && known.dims.size() == dims.size()) {
        for (std::size_t i = 0; i < dims.size(); ++i) {
            const bool adds = known.dims[i] < 0 && dims[i] >= 0;
            m_inferred[indexOf(original)] = m_inferred[indexOf(original)] && !adds;
            dims[i] = known.dims[i] < 0 ? dims[i] : known.dims[i];
        }
    } else {
        m_inferred[indexOf(original)] = false;
    }
    m_builder.setDims(target, std::move(dims), said.dtype);
}

ValueId GraphRewriter::add(std::string op, const std::string& name, std::vector<ValueId> inputs,
    std::map<std::string, Attribute> attributes)
{
    const std::string nodeName = claimName(m_nodeNames, name);
    const ValueId output = m_builder
                               .addNodeWithOutputs(std::move(op), nodeName, std::move(inputs),
                                   {claimName(m_valueNames, nodeName)}, std::move(attributes))
                               .front();
    inferShapes(m_builder, m_builder.lastNode());
    return output;
}

std::vector<ValueId> GraphRewriter::addMany(std::string op, const std::string& name,
    std::vector<ValueId> inputs, std::map<std::string, Attribute> attributes, std::size_t count)
{
    const std::string nodeName = claimName(m_nodeNames, name);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i) {
        names.push_back(claimName(m_valueNames, nodeName + "." + std::to_string(i)));
    }
    const std::vector<ValueId> outputs = m_builder.addNodeWithOutputs(
        std::move(op), nodeName, std::move(inputs), std::move(names), std::move(attributes));
    inferShapes(m_builder, m_builder.lastNode());
    return outputs;
}

ValueId GraphRewriter::addFor(ValueId original, std::string op, const std::string& name,
    std::vector<ValueId> inputs, std::map<std::string, Attribute> attributes)
{
    const ValueId output = m_builder
                               .addNodeWithOutputs(std::move(op), claimName(m_nodeNames, name),
                                   std::move(inputs), {m_graph.value(original).name}, std::move(attributes))
                               .front();
    inferShapes(m_builder, m_builder.lastNode());
    m_made[indexOf(original)] = output;
    takeRecordedDims(original);
    return output;
}

ValueId GraphRewriter::addConstant(const std::string& name, Tensor tensor)
{
    return m_builder.addConstant(claimName(m_valueNames, name), std::move(tensor));
}

void GraphRewriter::replaceByConstant(ValueId original, Tensor tensor)
{
    m_made[indexOf(original)] = m_builder.addConstant(m_graph.value(original).name, std::move(tensor));
    m_inferred[indexOf(original)] = true;
}

void GraphRewriter::replaceByValue(ValueId original, ValueId made)
{
    m_made[indexOf(original)] = made;
}

void GraphRewriter::releaseName(const Node& node)
{
    m_nodeNames.erase(node.name);
}

std::shared_ptr<const Graph> GraphRewriter::finish()
{
    for (const ValueId output : m_graph.outputs()) {
        m_builder.addOutput(made(output));
    }
    return m_builder.build();
}

} // namespace qs
