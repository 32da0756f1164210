#include "core/eval/incremental_evaluator.h"

#include "core/base/error.h"
#include "core/eval/fp32_cache.h"
#include "core/eval/plan_applier.h"

#include <algorithm>
#include <list>
#include <optional>

namespace qs {

namespace {

/// FP32 inputs and output of one layer, enough to run it alone.
struct LayerCache
{
    int site = -1;
    std::vector<Feed> feeds;
    ValueId output = kNoValue;
    Tensor expected;
};

constexpr std::size_t kCachedLayers = 4;

bool reaches(const Graph& graph, ValueId from, ValueId to, NodeId last)
{
    std::vector<bool> reached(graph.values().size(), false);
    reached[static_cast<std::size_t>(from)] = true;
    for (NodeId id = 0; id <= last; ++id) {
        const Node& node = graph.node(id);
        if (std::ranges::any_of(node.inputs,
                [&](ValueId v) { return v != kNoValue && reached[static_cast<std::size_t>(v)]; })) {
            for (const ValueId output : node.outputs) {
                reached[static_cast<std::size_t>(output)] = true;
            }
        }
    }
    return reached[static_cast<std::size_t>(to)];
}

/// What has to be fed so that the site's layer can run from the site's value on: that value (for a weight:
/// nothing) and the layer's other computed inputs that do not come from it.
std::vector<ValueId> layerFeeds(const Graph& graph, const Site& site, NodeId layer)
{
    const std::vector<bool> depends = dependsOnInput(graph);
    std::vector<ValueId> feeds;
    const bool isWeight = site.kind == SiteKind::Weight;
    if (!isWeight) {
        feeds.push_back(site.value);
    }
    for (const ValueId input : graph.node(layer).inputs) {
        if (input == kNoValue || !depends[static_cast<std::size_t>(input)]
            || std::ranges::find(feeds, input) != feeds.end()) {
            continue;
        }
        if (isWeight || !reaches(graph, site.value, input, layer)) {
            feeds.push_back(input);
        }
    }
    return feeds;
}

} // namespace

class IncrementalEvaluator::Implementation
{
public:
    Implementation(std::shared_ptr<const Model> model, Tensor probe)
        : m_model(std::move(model))
        , m_probe(std::move(probe))
        , m_reference(m_model)
        , m_quantized(m_model)
        , m_layerApplier(m_reference)
        , m_planApplier(m_quantized)
    {
    }

    void prepare(const TaskContext& context)
    {
        if (!m_fp32) {
            m_layerApplier.apply({});
            m_fp32.emplace(m_reference, m_probe, context);
        }
    }

    LayerError layerError(int siteIndex, const QuantParams& params, const TaskContext& context)
    {
        prepare(context);
        const Site& site = m_model->sites.at(static_cast<std::size_t>(siteIndex));
        const LayerCache& cache = layerCache(siteIndex, site, context);
        m_layerApplier.apply({{site.name, params}});
        const Tensor actual = m_reference.run(cache.feeds, {&cache.output, 1}, nullptr, context).front();
        const auto a = cache.expected.data<float>();
        const auto b = actual.data<float>();
        double signal = 0.0;
        double noise = 0.0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
            signal += static_cast<double>(a[i]) * static_cast<double>(a[i]);
            noise += difference * difference;
        }
        return {site.layer, sqnrDbOf(signal, noise),
            noise / static_cast<double>(std::max<std::size_t>(1, a.size())), sampleCount()};
    }

    Metrics modelError(const ResolvedPlan& plan, int editedSite, const TaskContext& context)
    {
        prepare(context);
        const Graph& graph = *m_model->graph;
        std::size_t keep = firstChangedCut(plan);
        keep = std::min(keep, m_prefix.empty() ? 0 : m_prefix.size() - 1);
        m_prefix.resize(std::min(m_prefix.size(), keep + 1));
        if (m_prefix.empty()) {
            m_prefix.push_back(m_fp32->at(0));
        }
        m_planApplier.apply(plan);
        const std::size_t wanted = editedSite < 0
            ? 0
            : m_fp32->cutBefore(graph, m_model->sites.at(static_cast<std::size_t>(editedSite)));
        const std::size_t start = m_prefix.size() - 1;
        std::vector<ValueId> fetches;
        for (std::size_t cut = start + 1; cut <= wanted; ++cut) {
            fetches.push_back(m_fp32->cuts()[cut].value);
        }
        fetches.push_back(graph.outputs().front());
        const Feed feed {m_fp32->cuts()[start].value, m_prefix.back()};
        std::vector<Tensor> values;
        try {
            values = m_quantized.run({&feed, 1}, fetches, nullptr, context);
        } catch (...) {
            m_prefixPlan = plan; // what is left of the prefix was computed under choices equal in this plan
            throw;
        }
        const Tensor logits = asLogits(values.back());
        values.pop_back();
        for (Tensor& value : values) {
            m_prefix.push_back(std::move(value));
        }
        m_prefixPlan = plan;
        return computeMetrics(logits, m_fp32->logits(), {});
    }

    [[nodiscard]] std::int64_t sampleCount() const { return m_probe.shape()[0]; }

private:
    /// Last cut whose value is the same under m_prefixPlan and `plan`: no site in front of it differs.
    [[nodiscard]] std::size_t firstChangedCut(const ResolvedPlan& plan) const
    {
        std::size_t cut = m_fp32->cuts().size() - 1;
        for (const Site& site : m_model->sites) {
            const auto before = m_prefixPlan.find(site.name);
            const auto after = plan.find(site.name);
            const bool had = before != m_prefixPlan.end();
            const bool has = after != plan.end();
            if (had != has || (had && !(before->second == after->second))) {
                cut = std::min(cut, m_fp32->cutBefore(*m_model->graph, site));
            }
        }
        return cut;
    }

    const LayerCache& layerCache(int siteIndex, const Site& site, const TaskContext& context)
    {
        const auto known = std::ranges::find(m_layers, siteIndex, &LayerCache::site);
        if (known != m_layers.end()) {
            m_layers.splice(m_layers.begin(), m_layers, known);
            return m_layers.front();
        }
        const Graph& graph = *m_model->graph;
        const auto layer = graph.findNode(site.layer);
        if (!layer) {
            throw Error(ErrorCode::Internal, "site '" + site.name + "' has no layer '" + site.layer + "'");
        }
        LayerCache cache;
        cache.site = siteIndex;
        cache.output = graph.node(*layer).outputs.front();
        std::vector<ValueId> fetches = layerFeeds(graph, site, *layer);
        fetches.push_back(cache.output);
        const std::size_t cut = m_fp32->cutBefore(graph, site);
        const Feed start {m_fp32->cuts()[cut].value, m_fp32->at(cut)};
        m_layerApplier.apply({});
        std::vector<Tensor> values = m_reference.run({&start, 1}, fetches, nullptr, context);
        cache.expected = values.back();
        for (std::size_t i = 0; i + 1 < fetches.size(); ++i) {
            cache.feeds.push_back({fetches[i], values[i]});
        }
        m_layers.push_front(std::move(cache));
        if (m_layers.size() > kCachedLayers) {
            m_layers.pop_back();
        }
        return m_layers.front();
    }

    std::shared_ptr<const Model> m_model;
    Tensor m_probe;
    Executor m_reference; ///< FP32, and single layers with one site quantized
    Executor m_quantized; ///< the plan
    PlanApplier m_layerApplier;
    PlanApplier m_planApplier;
    std::optional<Fp32Cache> m_fp32;
    std::list<LayerCache> m_layers; ///< most recently used first
    ResolvedPlan m_prefixPlan;
    std::vector<Tensor> m_prefix; ///< values at cuts 0 .. size - 1 under m_prefixPlan
};

IncrementalEvaluator::IncrementalEvaluator(std::shared_ptr<const Model> model, Tensor probe)
    : m_implementation(std::make_unique<Implementation>(std::move(model), std::move(probe)))
{
}

IncrementalEvaluator::~IncrementalEvaluator() = default;

void IncrementalEvaluator::prepare(const TaskContext& context)
{
    m_implementation->prepare(context);
}

LayerError IncrementalEvaluator::layerError(int site, const QuantParams& params, const TaskContext& context)
{
    return m_implementation->layerError(site, params, context);
}

Metrics IncrementalEvaluator::modelError(const ResolvedPlan& plan, int editedSite, const TaskContext& context)
{
    return m_implementation->modelError(plan, editedSite, context);
}

std::int64_t IncrementalEvaluator::sampleCount() const
{
    return m_implementation->sampleCount();
}

} // namespace qs
