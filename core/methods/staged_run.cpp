#include "core/methods/staged_run.h"

#include "core/base/error.h"
#include "core/graph/cut_values.h"
#include "core/quant/fake_quantizer.h"

#include <algorithm>

namespace qs {

StagedRun::StagedRun(std::shared_ptr<const Model> model, const Tensor& samples)
    : m_model(std::move(model))
    , m_executor(std::make_unique<Executor>(m_model))
{
    const Graph& graph = *m_model->graph;
    if (graph.inputs().size() != 1) {
        throw Error(ErrorCode::Unsupported,
            "methods need a model with one input, this one has " + std::to_string(graph.inputs().size()));
    }
    m_values[graph.value(graph.inputs().front()).name] = samples;
}

StagedRun::~StagedRun() = default;

void StagedRun::change(std::shared_ptr<const Model> model, const ResolvedPlan& activations)
{
    m_model = std::move(model);
    m_executor = std::make_unique<Executor>(m_model);
    for (int i = 0; i < static_cast<int>(m_model->sites.size()); ++i) {
        const Site& site = m_model->sites[static_cast<std::size_t>(i)];
        const auto found = activations.find(site.name);
        if (site.kind == SiteKind::Activation && found != activations.end()) {
            m_executor->setSiteTransform(i, std::make_shared<FakeQuantizer>(found->second));
        }
    }
}

std::vector<Feed> StagedRun::feeds() const
{
    std::vector<Feed> result;
    for (const auto& [name, tensor] : m_values) {
        result.push_back({*m_model->graph->findValue(name), tensor});
    }
    return result;
}

void StagedRun::advanceTo(const std::string& node, SiteObserver* observer, const TaskContext& context)
{
    const Graph& graph = *m_model->graph;
    const auto stop = graph.findNode(node);
    if (!stop) {
        throw Error(ErrorCode::InvalidArgument, "the model has no node named '" + node + "'");
    }
    const std::vector<bool> isDynamic = dependsOnInput(graph);
    std::map<std::string, Tensor> kept;
    std::vector<ValueId> fetches;
    for (ValueId id = 0; id < static_cast<ValueId>(graph.values().size()); ++id) {
        const Value& value = graph.value(id);
        const bool isBefore = value.producer < *stop; // graph inputs have no producer
        const bool isNeeded
            = std::ranges::any_of(value.consumers, [&](NodeId reader) { return reader >= *stop; });
        if (!isDynamic[static_cast<std::size_t>(id)] || !isBefore || !isNeeded) {
            continue;
        }
        const auto known = m_values.find(value.name);
        if (known != m_values.end()) {
            kept[value.name] = known->second;
        } else {
            fetches.push_back(id);
        }
    }
    if (!fetches.empty()) {
        const std::vector<Feed> given = feeds();
        std::vector<Tensor> made = m_executor->run(given, fetches, observer, {context.stop, {}});
        for (std::size_t i = 0; i < fetches.size(); ++i) {
            kept[graph.value(fetches[i]).name] = std::move(made[i]);
        }
    }
    m_values = std::move(kept);
}

Tensor StagedRun::value(const std::string& name, const TaskContext& context)
{
    const auto known = m_values.find(name);
    if (known != m_values.end()) {
        return known->second;
    }
    const ValueId fetch = *m_model->graph->findValue(name);
    const std::vector<Feed> given = feeds();
    return m_executor->run(given, {&fetch, 1}, nullptr, {context.stop, {}}).front();
}

} // namespace qs
