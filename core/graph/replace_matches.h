#pragma once

#include "core/graph/graph_rewriter.h"

#include <map>
#include <memory>
#include <set>
#include <utility>

namespace qs {

/// A copy of the graph in which every group of nodes that `matcher` finds is written anew, where its last
/// node stood; the other nodes are copied. matcher.around(NodeId) gives an optional match with `nodes` (a
/// std::set<NodeId>) and `result` (the value the last of them makes); write(rewriter, match) adds what stands
/// for it.
template<typename Matcher, typename Write>
[[nodiscard]] std::shared_ptr<const Graph> replaceMatches(const Graph& graph, Matcher& matcher, Write write)
{
    using Match = typename decltype(matcher.around(NodeId {}))::value_type;
    std::map<NodeId, Match> byLastNode;
    std::set<NodeId> replaced;
    const auto nodes = static_cast<NodeId>(graph.nodes().size());
    for (NodeId id = 0; id < nodes; ++id) {
        if (auto found = matcher.around(id)) {
            replaced.insert(found->nodes.begin(), found->nodes.end());
            byLastNode.emplace(graph.value(found->result).producer, std::move(*found));
        }
    }
    GraphRewriter rewriter(graph);
    for (NodeId id = 0; id < nodes; ++id) {
        if (const auto found = byLastNode.find(id); found != byLastNode.end()) {
            write(rewriter, found->second);
        } else if (!replaced.contains(id)) {
            rewriter.copy(graph.node(id));
        }
    }
    return rewriter.finish();
}

} // namespace qs
