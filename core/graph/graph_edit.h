#pragma once

#include "core/graph/graph.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace qs {

/// Makes a copy of a graph with other constants and a few additions; node and value names stay, and so do all
/// value ids where nothing is added. The graph must outlive it. Used up by build().
class GraphEdit
{
public:
    explicit GraphEdit(const Graph& graph);

    /// Other values for a constant. Throws Error(ShapeMismatch) when the shape differs,
    /// Error(InvalidArgument) when it is no constant.
    void setConstant(ValueId constant, Tensor values);
    /// Gives input `index` of a node, which it omits so far, a constant of its own; `index` is at most one
    /// beyond the node's last input.
    void addConstantInput(NodeId node, std::size_t index, const std::string& name, Tensor values);
    /// All readers of a computed value but `unchanged`, and the graph's outputs, get factor * value + offset
    /// instead; both are [width] over the last dimension. Adds the nodes "<value>.restored.scale" and
    /// "<value>.restored".
    void restoreForOthers(ValueId value, const std::set<NodeId>& unchanged, Tensor factor, Tensor offset);

    /// These readers of a computed value get value + amount instead. Adds the node "<value>.shifted".
    void shiftFor(ValueId value, const std::set<NodeId>& readers, float amount);

    [[nodiscard]] std::shared_ptr<const Graph> build();

private:
    struct Addition
    {
        std::size_t index;
        std::string name;
        Tensor values;
    };
    struct Restoration
    {
        std::set<NodeId> unchanged;
        Tensor factor;
        Tensor offset;
    };

    struct Shift
    {
        std::set<NodeId> readers;
        float amount;
    };

    const Graph& m_graph;
    std::map<ValueId, Tensor> m_constants;
    std::map<NodeId, std::vector<Addition>> m_additions;
    std::map<ValueId, Restoration> m_restorations;
    std::map<ValueId, Shift> m_shifts;
};

} // namespace qs
