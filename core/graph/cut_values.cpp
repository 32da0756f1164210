#include "core/graph/cut_values.h"

#include <algorithm>

namespace qs {

std::vector<bool> dependsOnInput(const Graph& graph)
{
    std::vector<bool> depends(graph.values().size(), false);
    for (const ValueId input : graph.inputs()) {
        depends[static_cast<std::size_t>(input)] = true;
    }
    for (const Node& node : graph.nodes()) {
        const bool any = std::ranges::any_of(
            node.inputs, [&](ValueId id) { return id != kNoValue && depends[static_cast<std::size_t>(id)]; });
        for (const ValueId output : node.outputs) {
            depends[static_cast<std::size_t>(output)] = any;
        }
    }
    return depends;
}

namespace {

bool readsOnlyTheShape(const Node& node)
{
    return node.op == "Shape" || node.op == "Size";
}

/// True for values that depend on what the first input holds, not only on its shape or on further inputs.
std::vector<bool> dependsOnContents(const Graph& graph)
{
    std::vector<bool> depends(graph.values().size(), false);
    if (!graph.inputs().empty()) {
        depends[static_cast<std::size_t>(graph.inputs().front())] = true;
    }
    for (const Node& node : graph.nodes()) {
        const bool any = !readsOnlyTheShape(node) && std::ranges::any_of(node.inputs, [&](ValueId id) {
            return id != kNoValue && depends[static_cast<std::size_t>(id)];
        });
        for (const ValueId output : node.outputs) {
            depends[static_cast<std::size_t>(output)] = any;
        }
    }
    return depends;
}

} // namespace

std::vector<CutValue> cutValues(const Graph& graph)
{
    const std::vector<bool> depends = dependsOnContents(graph);
    const auto isLiveAfter = [&](ValueId id, NodeId node) {
        const Value& value = graph.value(id);
        const bool isOutput = std::ranges::find(graph.outputs(), id) != graph.outputs().end();
        return depends[static_cast<std::size_t>(id)]
            && (isOutput || std::ranges::any_of(value.consumers, [&](NodeId reader) {
                   return reader > node && !readsOnlyTheShape(graph.node(reader));
               }));
    };
    std::vector<CutValue> cuts;
    std::vector<ValueId> live;
    for (const ValueId input : graph.inputs()) {
        if (isLiveAfter(input, kNoNode)) {
            live.push_back(input);
        }
    }
    if (live.size() == 1) {
        cuts.push_back({live.front(), kNoNode});
    }
    for (NodeId id = 0; id < static_cast<NodeId>(graph.nodes().size()); ++id) {
        for (const ValueId output : graph.node(id).outputs) {
            live.push_back(output);
        }
        std::erase_if(live, [&](ValueId value) { return !isLiveAfter(value, id); });
        if (live.size() == 1 && graph.value(live.front()).producer == id
            && graph.value(live.front()).consumers.size() > 0) {
            cuts.push_back({live.front(), id});
        }
    }
    return cuts;
}

} // namespace qs
