#include "core/methods/staged_run.h"

#include "core/base/error.h"
#include "core/graph/cut_values.h"
#include "core/methods/sample_runs.h"
#include "core/methods/section_run.h"
#include "core/methods/sequential_calibration.h"
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
    const std::string& name = graph.value(graph.inputs().front()).name;
    if (!takesOneSample(*m_model)) {
        m_runs.push_back({{name, samples}});
        return;
    }
    for (std::int64_t i = 0; i < samples.shape()[0]; ++i) {
        m_runs.push_back({{name, sampleOf(samples, i)}});
    }
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

std::vector<Feed> StagedRun::feedsOf(const Values& values) const
{
    std::vector<Feed> result;
    for (const auto& [name, tensor] : values) {
        result.push_back({*m_model->graph->findValue(name), tensor});
    }
    return result;
}

NodeId StagedRun::nodeNamed(const std::string& name) const
{
    const auto node = m_model->graph->findNode(name);
    if (!node) {
        throw Error(ErrorCode::InvalidArgument, "the model has no node named '" + name + "'");
    }
    return *node;
}

void StagedRun::advanceTo(const std::string& node, const TaskContext& context)
{
    advance(node, nullptr, context);
}

ResolvedPlan StagedRun::calibrateTo(const std::string& node, const Plan& plan, const TaskContext& context)
{
    if (takesOneSample(*m_model)) {
        std::vector<std::vector<Feed>> samples;
        for (const Values& values : m_runs) {
            samples.push_back(feedsOf(values));
        }
        ResolvedPlan found
            = calibrateSampleBySample(*m_executor, plan, samples, nodeNamed(node), {context.stop, {}});
        advance(node, nullptr, context);
        return found;
    }
    SequentialCalibration calibration(*m_executor, plan);
    advance(node, &calibration, context);
    return calibration.quantizers();
}

void StagedRun::advance(const std::string& node, SiteObserver* observer, const TaskContext& context)
{
    const Graph& graph = *m_model->graph;
    const NodeId stop = nodeNamed(node);
    const std::vector<bool> isDynamic = dependsOnInput(graph);
    std::vector<ValueId> kept;
    std::vector<ValueId> fetches;
    for (ValueId id = 0; id < static_cast<ValueId>(graph.values().size()); ++id) {
        const Value& value = graph.value(id);
        const bool isBefore = value.producer < stop; // graph inputs have no producer
        const bool isNeeded
            = std::ranges::any_of(value.consumers, [&](NodeId reader) { return reader >= stop; });
        if (isDynamic[static_cast<std::size_t>(id)] && isBefore && isNeeded) {
            (m_runs.front().contains(value.name) ? kept : fetches).push_back(id);
        }
    }
    for (Values& values : m_runs) {
        Values next;
        if (!fetches.empty()) {
            const std::vector<Feed> given = feedsOf(values);
            std::vector<Tensor> made = m_executor->run(given, fetches, observer, {context.stop, {}});
            for (std::size_t i = 0; i < fetches.size(); ++i) {
                next[graph.value(fetches[i]).name] = std::move(made[i]);
            }
        }
        for (const ValueId id : kept) {
            next[graph.value(id).name] = values[graph.value(id).name];
        }
        values = std::move(next);
    }
}

Tensor StagedRun::value(const std::string& name, const TaskContext& context)
{
    const ValueId fetch = *m_model->graph->findValue(name);
    std::vector<Tensor> parts;
    for (const Values& values : m_runs) {
        const auto known = values.find(name);
        parts.push_back(known != values.end()
                ? known->second
                : m_executor->run(feedsOf(values), {&fetch, 1}, nullptr, {context.stop, {}}).front());
    }
    return takesOneSample(*m_model) ? joinSamples(parts) : parts.front();
}

} // namespace qs
