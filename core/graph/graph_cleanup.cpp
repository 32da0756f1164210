#include "core/graph/graph_cleanup.h"

#include "core/graph/element_types.h"
#include "core/graph/graph_queries.h"
#include "core/graph/graph_rewriter.h"

#include <vector>

namespace qs {

namespace {

std::vector<bool> neededNodes(const Graph& graph)
{
    std::vector<bool> needed(graph.nodes().size(), false);
    std::vector<ValueId> open(graph.outputs());
    while (!open.empty()) {
        const ValueId value = open.back();
        open.pop_back();
        const NodeId maker = value == kNoValue ? kNoNode : graph.value(value).producer;
        if (maker != kNoNode && !needed[static_cast<std::size_t>(maker)]) {
            needed[static_cast<std::size_t>(maker)] = true;
            const std::vector<ValueId>& inputs = graph.node(maker).inputs;
            open.insert(open.end(), inputs.begin(), inputs.end());
        }
    }
    return needed;
}

bool isFloating(DType type)
{
    return type == DType::F32 || type == DType::F16 || type == DType::BF16 || type == DType::F64;
}

/// Whether the node hands its first input on unchanged.
bool isIdle(const Graph& graph, const Node& node, const std::vector<std::optional<DType>>& types)
{
    if (node.inputs.empty() || node.inputs.front() == kNoValue) {
        return false;
    }
    if (node.op == "Dropout") {
        const bool training = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
        const bool maskIsRead = node.outputs.size() > 1
            && (!graph.value(node.outputs[1]).consumers.empty() || isGraphOutput(graph, node.outputs[1]));
        return !training && !maskIsRead;
    }
    if (node.op != "Cast") {
        return node.op == "Identity";
    }
    const auto from = types[static_cast<std::size_t>(node.inputs.front())];
    const auto to = types[static_cast<std::size_t>(node.outputs.front())];
    return from && to && (*from == *to || (isFloating(*from) && isFloating(*to)));
}

} // namespace

std::shared_ptr<const Graph> removeIdleNodes(const Graph& graph)
{
    const std::vector<bool> needed = neededNodes(graph);
    const std::vector<std::optional<DType>> types = elementTypes(graph);
    GraphRewriter rewriter(graph);
    for (NodeId id = 0; static_cast<std::size_t>(id) < graph.nodes().size(); ++id) {
        const Node& node = graph.node(id);
        if (!needed[static_cast<std::size_t>(id)]) {
            continue;
        }
        if (!node.outputs.empty() && !isGraphOutput(graph, node.outputs.front())
            && isIdle(graph, node, types)) {
            rewriter.replaceByValue(node.outputs.front(), rewriter.made(node.inputs.front()));
        } else {
            rewriter.copy(node);
        }
    }
    return rewriter.finish();
}

} // namespace qs
