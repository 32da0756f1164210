#include "core/graph/contrib_call.h"

#include "core/base/error.h"
#include "core/graph/graph_queries.h"

#include <utility>

namespace qs {

bool ContribCall::has(std::size_t input) const
{
    return input < m_node.inputs.size() && m_node.inputs[input] != kNoValue;
}

ValueId ContribCall::input(std::size_t index)
{
    if (!has(index)) {
        throw Error(ErrorCode::CorruptFile,
            "node '" + m_node.name + "' (" + m_node.op + ") lacks its input " + std::to_string(index));
    }
    return m_rewriter.made(m_node.inputs[index]);
}

Tensor ContribCall::constantInput(std::size_t index) const
{
    return has(index) ? m_graph.value(m_node.inputs[index]).constant : Tensor();
}

std::size_t ContribCall::rank(ValueId made) const
{
    if (!value(made).dimsKnown) {
        refuse("and the file does not tell how many dimensions '" + value(made).name + "' has");
    }
    return value(made).dims.size();
}

bool ContribCall::wants(std::size_t output) const
{
    return output < m_node.outputs.size()
        && (!m_graph.value(m_node.outputs[output]).consumers.empty()
            || isGraphOutput(m_graph, m_node.outputs[output]));
}

ValueId ContribCall::op(const std::string& op, const std::string& suffix, std::vector<ValueId> inputs,
    std::map<std::string, Attribute> attributes)
{
    return m_rewriter.add(op, m_node.name + "." + suffix, std::move(inputs), std::move(attributes));
}

std::vector<ValueId> ContribCall::split(const std::string& suffix, ValueId x, std::vector<std::int64_t> sizes)
{
    const std::size_t count = sizes.size();
    return m_rewriter.addMany("Split", m_node.name + "." + suffix,
        {x, integers(suffix + ".sizes", std::move(sizes))}, {{"axis", std::int64_t {-1}}}, count);
}

std::vector<ValueId> ContribCall::quantizedNow(const std::string& suffix, ValueId x)
{
    return m_rewriter.addMany("DynamicQuantizeLinear", m_node.name + "." + suffix, {x}, {}, 3);
}

ValueId ContribCall::constant(const std::string& suffix, Tensor tensor)
{
    return m_rewriter.addConstant(m_node.name + "." + suffix, std::move(tensor));
}

ValueId ContribCall::scalar(const std::string& suffix, double value)
{
    return constant(suffix, Tensor::of<float>(Shape {}, {static_cast<float>(value)}));
}

ValueId ContribCall::integers(const std::string& suffix, std::vector<std::int64_t> values)
{
    return constant(suffix,
        Tensor::of<std::int64_t>(
            Shape {static_cast<std::int64_t>(values.size())}, std::span<const std::int64_t>(values)));
}

ValueId ContribCall::integer(const std::string& suffix, std::int64_t value)
{
    return constant(suffix, Tensor::of<std::int64_t>(Shape {}, {value}));
}

ValueId ContribCall::transpose(const std::string& suffix, ValueId x, std::vector<std::int64_t> order)
{
    return op("Transpose", suffix, {x}, {{"perm", std::move(order)}});
}

ValueId ContribCall::reshape(const std::string& suffix, ValueId x, std::vector<std::int64_t> shape)
{
    return op("Reshape", suffix, {x, integers(suffix + ".shape", std::move(shape))});
}

ValueId ContribCall::unsqueeze(const std::string& suffix, ValueId x, std::vector<std::int64_t> axes)
{
    return op("Unsqueeze", suffix, {x, integers(suffix + ".axes", std::move(axes))});
}

ValueId ContribCall::sizeOf(const std::string& suffix, ValueId x, std::int64_t axis)
{
    return op("Gather", suffix, {op("Shape", suffix + ".shape", {x}), integer(suffix + ".axis", axis)},
        {{"axis", std::int64_t {0}}});
}

void ContribCall::result(std::size_t output, const std::string& op, const std::string& suffix,
    std::vector<ValueId> inputs, std::map<std::string, Attribute> attributes)
{
    if (suffix.empty()) {
        m_rewriter.releaseName(m_node);
    }
    m_rewriter.addFor(m_node.outputs[output], op, suffix.empty() ? m_node.name : m_node.name + "." + suffix,
        std::move(inputs), std::move(attributes));
}

void ContribCall::refuse(const std::string& what) const
{
    throw Error(ErrorCode::Unsupported, "node '" + m_node.name + "' is " + m_node.op + ", " + what);
}

} // namespace qs
