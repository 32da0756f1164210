#include "core/eval/incremental_evaluator.h"

#include "core/base/error.h"
#include "core/eval/evaluate.h"
#include "core/eval/fp32_cache.h"
#include "core/eval/metrics_accumulator.h"
#include "core/eval/model_feeds.h"
#include "core/eval/plan_applier.h"

#include <algorithm>
#include <list>
#include <map>
#include <optional>

namespace qs {

namespace {

/// FP32 inputs and output of one layer for one batch, enough to run it alone.
struct LayerBatch
{
    std::vector<Feed> feeds;
    Tensor expected;
};

struct LayerCache
{
    int site = -1;
    ValueId output = kNoValue;
    std::vector<LayerBatch> batches;
};

/// What is kept of one batch of probe samples.
struct ProbeBatch
{
    Fp32Cache fp32;
    Tensor expected; ///< logits to come near to
    std::vector<Tensor> prefix; ///< values at cuts 0 .. size - 1 under the plan that was evaluated last
};

/// Rows [first, first + count) of a tensor, without a copy.
Tensor rowsOf(const Tensor& tensor, std::int64_t first, std::int64_t count)
{
    std::vector<std::int64_t> dims = tensor.shape().dims();
    dims[0] = count;
    Shape shape(std::move(dims));
    const std::size_t bytes = static_cast<std::size_t>(shape.elementCount()) * sizeOf(tensor.dtype());
    const std::size_t offset = bytes / static_cast<std::size_t>(count) * static_cast<std::size_t>(first);
    return {tensor.dtype(), std::move(shape), std::make_shared<Tensor>(tensor),
        std::span(tensor.bytes() + offset, bytes)};
}

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
    Implementation(std::shared_ptr<const Model> model, Tensor probe, std::shared_ptr<const Model> fp32)
        : m_model(std::move(model))
        , m_fp32(std::move(fp32))
        , m_probe(std::move(probe))
        , m_batch(batchSizeOf(*m_model->graph, m_probe.shape()[0]))
        , m_reference(m_model)
        , m_quantized(m_model)
        , m_layerApplier(m_reference)
        , m_planApplier(m_quantized)
    {
        if (m_batch < 1 || m_probe.shape()[0] < m_batch) {
            throw Error(ErrorCode::InvalidArgument,
                "the model takes " + std::to_string(m_batch) + " samples at a time, there are "
                    + std::to_string(m_probe.shape()[0]));
        }
    }

    void prepare(const TaskContext& context)
    {
        if (!m_batches.empty()) {
            return;
        }
        m_layerApplier.apply({});
        std::vector<ProbeBatch> batches;
        for (std::int64_t first = 0; first < sampleCount(); first += m_batch) {
            Fp32Cache cache(m_reference, rowsOf(m_probe, first, m_batch), context);
            Tensor expected = m_fp32 ? originalLogits(cache.samples(), context) : cache.output();
            batches.push_back({std::move(cache), std::move(expected), {}});
        }
        m_batches = std::move(batches);
    }

    LayerError layerError(int siteIndex, const QuantParams& params, const TaskContext& context)
    {
        prepare(context);
        const Site& site = m_model->sites.at(static_cast<std::size_t>(siteIndex));
        const LayerCache& cache = layerCache(siteIndex, site, context);
        m_layerApplier.apply({{site.name, params}});
        double signal = 0.0;
        double noise = 0.0;
        std::size_t values = 0;
        for (const LayerBatch& batch : cache.batches) {
            const Tensor actual = m_reference.run(batch.feeds, {&cache.output, 1}, nullptr, context).front();
            const auto a = batch.expected.data<float>();
            const auto b = actual.data<float>();
            for (std::size_t i = 0; i < a.size(); ++i) {
                const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
                signal += static_cast<double>(a[i]) * static_cast<double>(a[i]);
                noise += difference * difference;
            }
            values += a.size();
        }
        return {site.layer, sqnrDbOf(signal, noise),
            noise / static_cast<double>(std::max<std::size_t>(1, values)), sampleCount()};
    }

    Metrics modelError(const ResolvedPlan& plan, int editedSite, const TaskContext& context)
    {
        prepare(context);
        const std::size_t keep = firstChangedCut(plan);
        for (ProbeBatch& batch : m_batches) {
            batch.prefix.resize(std::min(batch.prefix.size(), keep + 1));
            if (batch.prefix.empty()) {
                batch.prefix.push_back(batch.fp32.at(0));
            }
        }
        m_prefixPlan = plan; // what is left of the prefixes was computed under choices equal in this plan
        m_planApplier.apply(plan);
        const std::size_t wanted = editedSite < 0
            ? 0
            : cache().cutBefore(*m_model->graph, m_model->sites.at(static_cast<std::size_t>(editedSite)));
        MetricsAccumulator metrics(m_model->task);
        for (ProbeBatch& batch : m_batches) {
            const Tensor output = runFromPrefix(batch, wanted, context);
            metrics.add(output, batch.expected, targetsOf(*m_model, batch.fp32.samples()));
        }
        m_sampleErrors = metrics.sampleErrors();
        return metrics.result();
    }

    std::vector<SampleError> furtherErrors(
        const ResolvedPlan& plan, std::int64_t key, const Tensor& samples, const TaskContext& context)
    {
        const std::vector<Feed> feeds = feedsOf(*m_model->graph, samples);
        const ValueId output = m_model->graph->outputs().front();
        if (!m_furtherLogits.contains(key)) {
            m_layerApplier.apply({});
            m_furtherLogits[key] = m_fp32
                ? originalLogits(samples, context)
                : m_reference.run(feeds, {&output, 1}, nullptr, context).front();
        }
        m_planApplier.apply(plan);
        const Tensor logits = m_quantized.run(feeds, {&output, 1}, nullptr, context).front();
        MetricsAccumulator metrics(m_model->task);
        metrics.add(logits, m_furtherLogits.at(key), {});
        return metrics.sampleErrors();
    }

    [[nodiscard]] const std::vector<SampleError>& sampleErrors() const { return m_sampleErrors; }

    [[nodiscard]] std::int64_t sampleCount() const
    {
        return m_probe.shape()[0] - m_probe.shape()[0] % m_batch;
    }

private:
    [[nodiscard]] const Fp32Cache& cache() const { return m_batches.front().fp32; }

    /// Logits of the model that this one was rewritten from.
    Tensor originalLogits(const Tensor& samples, const TaskContext& context)
    {
        if (!m_original) {
            m_original.emplace(m_fp32);
        }
        const ValueId output = m_fp32->graph->outputs().front();
        return m_original->run(feedsOf(*m_fp32->graph, samples), {&output, 1}, nullptr, context).front();
    }

    /// Output under the plan that is applied, from the end of the prefix on, which grows up to the cut
    /// `wanted`.
    Tensor runFromPrefix(ProbeBatch& batch, std::size_t wanted, const TaskContext& context)
    {
        const std::size_t start = batch.prefix.size() - 1;
        std::vector<ValueId> fetches;
        for (std::size_t cut = start + 1; cut <= wanted; ++cut) {
            fetches.push_back(batch.fp32.cuts()[cut].value);
        }
        fetches.push_back(m_model->graph->outputs().front());
        std::vector<Tensor> values
            = m_quantized.run(batch.fp32.feedsFrom(start, batch.prefix.back()), fetches, nullptr, context);
        Tensor output = std::move(values.back());
        values.pop_back();
        for (Tensor& value : values) {
            batch.prefix.push_back(std::move(value));
        }
        return output;
    }

    /// Last cut whose value is the same under m_prefixPlan and `plan`: no site in front of it differs.
    [[nodiscard]] std::size_t firstChangedCut(const ResolvedPlan& plan) const
    {
        std::size_t cut = cache().cuts().size() - 1;
        for (const Site& site : m_model->sites) {
            const auto before = m_prefixPlan.find(site.name);
            const auto after = plan.find(site.name);
            const bool had = before != m_prefixPlan.end();
            const bool has = after != plan.end();
            if (had != has || (had && !(before->second == after->second))) {
                cut = std::min(cut, cache().cutBefore(*m_model->graph, site));
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
        LayerCache layerCache;
        layerCache.site = siteIndex;
        layerCache.output = graph.node(*layer).outputs.front();
        std::vector<ValueId> fetches = layerFeeds(graph, site, *layer);
        fetches.push_back(layerCache.output);
        m_layerApplier.apply({});
        for (const ProbeBatch& batch : m_batches) {
            const std::size_t cut = batch.fp32.cutBefore(graph, site);
            const std::vector<Feed> start = batch.fp32.feedsFrom(cut, batch.fp32.at(cut));
            const std::vector<Tensor> values = m_reference.run(start, fetches, nullptr, context);
            LayerBatch kept;
            kept.expected = values.back();
            for (std::size_t i = 0; i + 1 < fetches.size(); ++i) {
                kept.feeds.push_back({fetches[i], values[i]});
            }
            layerCache.batches.push_back(std::move(kept));
        }
        m_layers.push_front(std::move(layerCache));
        if (m_layers.size() > kCachedLayers) {
            m_layers.pop_back();
        }
        return m_layers.front();
    }

    std::shared_ptr<const Model> m_model;
    std::shared_ptr<const Model> m_fp32; ///< null: m_model
    std::optional<Executor> m_original; ///< of m_fp32, made when needed
    Tensor m_probe;
    std::int64_t m_batch; ///< probe samples per run
    Executor m_reference; ///< FP32, and single layers with one site quantized
    Executor m_quantized; ///< the plan
    PlanApplier m_layerApplier;
    PlanApplier m_planApplier;
    std::vector<ProbeBatch> m_batches; ///< empty until prepared
    std::list<LayerCache> m_layers; ///< most recently used first
    ResolvedPlan m_prefixPlan; ///< of every ProbeBatch::prefix
    std::vector<SampleError> m_sampleErrors; ///< of the last modelError()
    std::map<std::int64_t, Tensor> m_furtherLogits; ///< FP32, by key
};

IncrementalEvaluator::IncrementalEvaluator(
    std::shared_ptr<const Model> model, Tensor probe, std::shared_ptr<const Model> fp32)
    : m_implementation(std::make_unique<Implementation>(std::move(model), std::move(probe), std::move(fp32)))
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

const std::vector<SampleError>& IncrementalEvaluator::sampleErrors() const
{
    return m_implementation->sampleErrors();
}

std::vector<SampleError> IncrementalEvaluator::furtherErrors(
    const ResolvedPlan& plan, std::int64_t key, const Tensor& samples, const TaskContext& context)
{
    return m_implementation->furtherErrors(plan, key, samples, context);
}

std::int64_t IncrementalEvaluator::sampleCount() const
{
    return m_implementation->sampleCount();
}

} // namespace qs
