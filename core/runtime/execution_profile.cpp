#include "core/runtime/execution_profile.h"

#include "core/runtime/array.h"

#include <algorithm>

namespace qs {

ExecutionProfile::ExecutionProfile(const Graph& graph)
    : nodes(graph.nodes().size())
    , m_graph(&graph)
{
}

void ExecutionProfile::add(const Node& node, double seconds, double operations)
{
    const auto output = std::ranges::find_if(node.outputs, [](ValueId id) { return id != kNoValue; });
    if (output == node.outputs.end()) {
        return;
    }
    NodeCost& cost = nodes[static_cast<std::size_t>(m_graph->value(*output).producer)];
    cost.seconds += seconds;
    cost.operations += operations;
}

double productOperations(const Node& node, std::span<const Array> inputs, std::span<const Array> outputs)
{
    if (inputs.size() < 2 || outputs.empty() || inputs[0].rank() == 0 || inputs[1].rank() == 0) {
        return 0.0;
    }
    const auto results = static_cast<double>(outputs[0].count());
    if (node.op == "Linear" || node.op == "MatMul") {
        return 2.0 * results * static_cast<double>(inputs[0].dims.back());
    }
    if (node.op == "Conv") {
        return 2.0 * results * static_cast<double>(product(inputs[1].dims, 1, inputs[1].rank()));
    }
    return 0.0;
}

} // namespace qs
