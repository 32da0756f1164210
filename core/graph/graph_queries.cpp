#include "core/graph/graph_queries.h"

#include <algorithm>

namespace qs {

bool isOneOf(std::string_view op, std::initializer_list<std::string_view> list)
{
    return std::ranges::find(list, op) != list.end();
}

NodeId makerOf(const Graph& graph, ValueId value, std::string_view op)
{
    const NodeId maker = value == kNoValue ? kNoNode : graph.value(value).producer;
    return maker != kNoNode && graph.node(maker).op == op ? maker : kNoNode;
}

std::optional<double> scalarOf(const Graph& graph, ValueId value)
{
    if (!isConstant(graph, value)) {
        return std::nullopt;
    }
    const Tensor& constant = graph.value(value).constant;
    if (constant.elementCount() != 1 || constant.dtype() == DType::Bool) {
        return std::nullopt;
    }
    if (constant.dtype() == DType::F64) {
        return constant.data<double>().front();
    }
    return static_cast<double>(constant.toF32().data<float>().front());
}

bool isConstant(const Graph& graph, ValueId value)
{
    return value != kNoValue && graph.value(value).isConstant();
}

bool isGraphOutput(const Graph& graph, ValueId value)
{
    return std::ranges::find(graph.outputs(), value) != graph.outputs().end();
}

ValueId operandBeside(const Node& node, ValueId value)
{
    if (node.inputs.size() != 2) {
        return kNoValue;
    }
    return node.inputs[0] == value ? node.inputs[1] : node.inputs[1] == value ? node.inputs[0] : kNoValue;
}

NodeId onlyReader(const Graph& graph, ValueId value)
{
    if (value == kNoValue || isGraphOutput(graph, value)) {
        return kNoNode;
    }
    const std::vector<NodeId>& readers = graph.value(value).consumers;
    return readers.size() == 1 ? readers.front() : kNoNode;
}

bool isPrivate(const Graph& graph, const std::set<NodeId>& nodes, ValueId result)
{
    return std::ranges::all_of(nodes, [&](NodeId id) {
        return std::ranges::all_of(graph.node(id).outputs, [&](ValueId output) {
            return output == result
                || (!isGraphOutput(graph, output)
                    && std::ranges::all_of(graph.value(output).consumers,
                        [&](NodeId reader) { return nodes.contains(reader); }));
        });
    });
}

std::optional<std::size_t> rankOf(const Graph& graph, ValueId value)
{
    if (value == kNoValue || !graph.value(value).dimsKnown) {
        return std::nullopt;
    }
    return graph.value(value).dims.size();
}

std::size_t constantBytes(const Graph& graph)
{
    std::size_t bytes = 0;
    for (const Value& value : graph.values()) {
        bytes += value.isConstant() ? value.constant.byteCount() : 0;
    }
    return bytes;
}

} // namespace qs
