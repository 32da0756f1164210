#pragma once

#include "core/graph/graph.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qs {

struct Array;

/// What one node cost.
struct NodeCost
{
    double seconds = 0.0; ///< wall time
    double operations = 0.0; ///< multiplications and additions of matrix products and convolutions

    friend bool operator==(const NodeCost&, const NodeCost&) = default;
};

/// Where the time of an executor's runs goes, added up over the runs. Nodes that run as one fused step share
/// that step's wall time in the ratio of the processor time that all threads together spent on each of them,
/// copies between them included; a node folded into another one's step without work of its own (a Reshape
/// that only makes a view) costs next to nothing.
struct ExecutionProfile
{
    explicit ExecutionProfile(const Graph& graph);

    std::vector<NodeCost> nodes; ///< by NodeId
    double observation = 0.0; ///< seconds in SiteObserver::observe() and the copies it needs
    double transforms = 0.0; ///< seconds in fake quantizers
    double total = 0.0; ///< seconds of the runs, planning and releases included
    std::int64_t runs = 0;

    void add(const Node& node, double seconds, double operations);

private:
    const Graph* m_graph;
};

/// Multiplications and additions of a matrix product or convolution on these arrays; 0 for other operators.
[[nodiscard]] double productOperations(
    const Node& node, std::span<const Array> inputs, std::span<const Array> outputs);

} // namespace qs
