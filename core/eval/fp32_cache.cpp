#include "core/eval/fp32_cache.h"

#include "core/base/error.h"
#include "core/eval/model_feeds.h"

#include <algorithm>

namespace qs {

Fp32Cache::Fp32Cache(Executor& executor, const Tensor& samples, const TaskContext& context)
    : m_cuts(cutValues(*executor.model().graph))
{
    const Graph& graph = *executor.model().graph;
    if (m_cuts.empty()) {
        throw Error(ErrorCode::Unsupported, "nothing the model computes depends on its first input");
    }
    m_inputs = feedsOf(graph, samples);
    std::vector<ValueId> fetches;
    for (const CutValue& cut : m_cuts) {
        fetches.push_back(cut.value);
    }
    fetches.push_back(graph.outputs().front());
    m_values = executor.run(m_inputs, fetches, nullptr, context);
    m_output = m_values.back();
    m_values.pop_back();
}

std::size_t Fp32Cache::byteCount() const
{
    std::size_t bytes = m_output.byteCount();
    for (const Feed& input : m_inputs) {
        bytes += input.tensor.byteCount();
    }
    for (const Tensor& value : m_values) {
        bytes += value.byteCount();
    }
    return bytes;
}

std::vector<Feed> Fp32Cache::feedsFrom(std::size_t cut, const Tensor& value) const
{
    std::vector<Feed> feeds {{m_cuts[cut].value, value}};
    for (const Feed& input : m_inputs) {
        if (input.value != feeds.front().value) {
            feeds.push_back(input);
        }
    }
    return feeds;
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
