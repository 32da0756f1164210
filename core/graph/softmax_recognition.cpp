#include "core/graph/softmax_recognition.h"

#include "core/graph/graph_queries.h"
#include "core/graph/graph_rewriter.h"

#include <map>
#include <set>

namespace qs {

namespace {

struct FlattenedSoftmax
{
    NodeId flatten = kNoNode;
    NodeId softmax = kNoNode;
    NodeId reshape = kNoNode;
};

/// Whether the Reshape gives back the shape of x.
bool restoresShape(const Graph& graph, const Node& reshape, ValueId x)
{
    const NodeId shape = makerOf(graph, reshape.inputs[1], "Shape");
    if (shape != kNoNode) {
        return graph.node(shape).inputs == std::vector<ValueId> {x} && graph.node(shape).attributes.empty();
    }
    if (!isConstant(graph, reshape.inputs[1])) {
        return false;
    }
    const Tensor& constant = graph.value(reshape.inputs[1]).constant;
    if (constant.dtype() != DType::I64) {
        return false;
    }
    const auto dims = constant.data<std::int64_t>();
    return std::vector<std::int64_t>(dims.begin(), dims.end()) == graph.value(x).dims;
}

bool findFlattened(const Graph& graph, NodeId id, FlattenedSoftmax& found)
{
    const Node& softmax = graph.node(id);
    if (softmax.op != "Softmax" || softmax.inputs.empty() || softmax.intAttribute("axis", -1) != -1) {
        return false;
    }
    found
        = {makerOf(graph, softmax.inputs.front(), "Flatten"), id, onlyReader(graph, softmax.outputs.front())};
    if (found.flatten == kNoNode || found.reshape == kNoNode
        || onlyReader(graph, softmax.inputs.front()) != id) {
        return false;
    }
    const Node& flatten = graph.node(found.flatten);
    const Node& reshape = graph.node(found.reshape);
    const auto rank = flatten.inputs.size() == 1 ? rankOf(graph, flatten.inputs.front()) : std::nullopt;
    return rank && *rank > 0 && flatten.intAttribute("axis", 1) == static_cast<std::int64_t>(*rank) - 1
        && reshape.op == "Reshape" && reshape.inputs.size() == 2
        && restoresShape(graph, reshape, flatten.inputs.front());
}

} // namespace

std::shared_ptr<const Graph> recogniseSoftmaxes(const Graph& graph)
{
    std::map<NodeId, FlattenedSoftmax> byReshape;
    std::set<NodeId> replaced;
    for (NodeId id = 0; static_cast<std::size_t>(id) < graph.nodes().size(); ++id) {
        FlattenedSoftmax found;
        if (findFlattened(graph, id, found)) {
            byReshape[found.reshape] = found;
            replaced.insert({found.flatten, found.softmax});
        }
    }
    GraphRewriter rewriter(graph);
    for (NodeId id = 0; static_cast<std::size_t>(id) < graph.nodes().size(); ++id) {
        const Node& node = graph.node(id);
        if (const auto found = byReshape.find(id); found != byReshape.end()) {
            const Node& softmax = graph.node(found->second.softmax);
            const ValueId x = rewriter.made(graph.node(found->second.flatten).inputs.front());
            rewriter.releaseName(softmax);
            rewriter.addFor(
                node.outputs.front(), "Softmax", softmax.name, {x}, {{"axis", std::int64_t {-1}}});
        } else if (!replaced.contains(id)) {
            rewriter.copy(node);
        }
    }
    return rewriter.finish();
}

} // namespace qs
