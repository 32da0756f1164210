#include "core/eval/fp32_cache.h"

#include "core/base/error.h"

#include <algorithm>

namespace qs {

Tensor asLogits(const Tensor& output)
{
    const std::int64_t rows = output.shape().rank() == 0 ? 1 : output.shape()[0];
    return output.reshaped(Shape {rows, rows == 0 ? 0 : output.elementCount() / rows});
}

Fp32Cache::Fp32Cache(Executor& executor, const Tensor& samples, const TaskContext& context)
    : m_cuts(cutValues(*executor.model().graph))
{
    const Graph& graph = *executor.model().graph;
    if (graph.inputs().size() != 1 || m_cuts.empty()) {
        throw Error(ErrorCode::Unsupported,
            "error evaluation needs a model with one input, this one has "
                + std::to_string(graph.inputs().size()));
    }
    std::vector<ValueId> fetches;
    for (const CutValue& cut : m_cuts) {
        fetches.push_back(cut.value);
    }
    fetches.push_back(graph.outputs().front());
    const Feed feed {graph.inputs().front(), samples};
    m_values = executor.run({&feed, 1}, fetches, nullptr, context);
    m_logits = asLogits(m_values.back());
    m_values.pop_back();
}

std::size_t Fp32Cache::cutBefore(const Graph& graph, const Site& site) const
{
    NodeId first = graph.value(site.value).isConstant() ? kNoNode : graph.value(site.value).producer;
    if (first == kNoNode && !site.readers.empty()) { // a weight or a graph input: what counts is who reads it
        first = std::ranges::min(site.readers, {}, &std::pair<NodeId, int>::first).first;
    }
    std::size_t best = 0;
    for (std::size_t i = 0; i < m_cuts.size(); ++i) {
        if (m_cuts[i].producer < first || m_cuts[i].value == site.value) {
            best = i;
        }
    }
    return best;
}

} // namespace qs
