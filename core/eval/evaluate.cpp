#include "core/eval/evaluate.h"

#include "core/base/error.h"
#include "core/eval/metrics_accumulator.h"
#include "core/eval/model_feeds.h"
#include "core/eval/plan_applier.h"

#include <algorithm>

namespace qs {

namespace {

/// Value ids of the outputs of all layers that read a site, without repetition, with their names.
std::vector<std::pair<std::string, ValueId>> layerOutputs(const Model& model)
{
    std::vector<std::pair<std::string, ValueId>> outputs;
    for (const Site& site : model.sites) {
        const auto node = model.graph->findNode(site.layer);
        const bool known
            = std::ranges::any_of(outputs, [&](const auto& entry) { return entry.first == site.layer; });
        if (node && !known) {
            outputs.emplace_back(site.layer, model.graph->node(*node).outputs.front());
        }
    }
    return outputs;
}

/// Runs the executor on samples [first, first + count).
struct BatchRun
{
    Tensor output; ///< the graph's first
    std::vector<std::optional<int>> targets; ///< of each row of it
};

BatchRun runBatch(Executor& executor, const DataSource& data, std::int64_t first, std::int64_t count,
    const TaskContext& context)
{
    const Model& model = executor.model();
    const ValueId output = model.graph->outputs().front();
    const Tensor samples = loadBatch(data, first, count);
    BatchRun run;
    run.output
        = executor.run(feedsOf(*model.graph, samples), {&output, 1}, nullptr, {context.stop, {}}).front();
    run.targets = targetsOf(model, data, first, samples, run.output.shape());
    return run;
}

} // namespace

std::int64_t sampleCountOf(const Graph& graph, const DataSource& data, std::int64_t samples)
{
    const std::int64_t available = samples <= 0 ? data.size() : std::min(samples, data.size());
    const std::int64_t fixed = batchSizeOf(graph, 1);
    const std::int64_t usable = available - available % fixed;
    if (usable == 0) {
        throw Error(ErrorCode::InvalidArgument,
            fixed > 1 ? "the model takes " + std::to_string(fixed) + " samples at a time, there are "
                    + std::to_string(available)
                      : std::string("there are no samples"));
    }
    return usable;
}

std::vector<std::optional<int>> targetsOf(const Model& model, const Tensor& batch)
{
    return model.task == ModelTask::LanguageModel ? nextTokens(batch) : std::vector<std::optional<int>> {};
}

std::vector<std::optional<int>> targetsOf(
    const Model& model, const DataSource& data, std::int64_t first, const Tensor& batch, const Shape& logits)
{
    std::vector<std::optional<int>> targets = targetsOf(model, batch);
    if (model.task == ModelTask::Classification && logits.rank() == 2) {
        for (std::int64_t i = first; i < first + batch.shape()[0]; ++i) {
            targets.push_back(data.label(i));
        }
    }
    return targets;
}

Fp32Reference computeReference(Executor& executor, const DataSource& data, std::int64_t samples,
    const TaskContext& context, std::int64_t batch, std::size_t byteLimit)
{
    const Model& model = executor.model();
    const std::int64_t total = sampleCountOf(*model.graph, data, samples);
    Fp32Reference reference;
    reference.batch = batchSizeOf(model, data, batch);
    MetricsAccumulator metrics(model.task);
    std::size_t kept = 0;
    for (std::int64_t first = 0; first < total; first += reference.batch) {
        context.throwIfCancelled();
        context.report("evaluate", first, total);
        const BatchRun run
            = runBatch(executor, data, first, std::min(reference.batch, total - first), context);
        metrics.add(run.output, run.output, run.targets);
        kept += run.output.byteCount();
        if (kept <= byteLimit) { // never true again once it was not: the first batches, without gaps
            reference.outputs.push_back(run.output);
        }
    }
    context.report("evaluate", total, total);
    reference.metrics = metrics.result();
    return reference;
}

namespace {

/// SQNR of `quantized` against `reference` behind every layer, over samples [from, to). The models of the two
/// may differ in weights, not in the names of values.
std::vector<LayerDistance> layerDistances(Executor& reference, Executor& quantized, const DataSource& data,
    std::int64_t from, std::int64_t to, const TaskContext& context)
{
    const std::shared_ptr<const Graph> graph = quantized.model().graph;
    const std::shared_ptr<const Graph> fp32 = reference.model().graph;
    const auto layers = layerOutputs(quantized.model());
    std::vector<ValueId> fetches;
    std::vector<ValueId> fp32Fetches;
    for (const auto& layer : layers) {
        fetches.push_back(layer.second);
        fp32Fetches.push_back(fp32->findValue(graph->value(layer.second).name).value());
    }
    const std::int64_t batch = batchSizeOf(*graph, 1); // one at a time: all outputs are kept
    std::vector<double> signal(layers.size(), 0.0);
    std::vector<double> noise(layers.size(), 0.0);
    const TaskContext inner {context.stop, {}};
    for (std::int64_t first = from; first + batch <= to; first += batch) {
        context.report("layer errors", first - from, to - from);
        const Tensor samples = loadBatch(data, first, batch);
        const std::vector<Feed> feeds = feedsOf(*graph, samples);
        const auto expected = reference.run(feedsOf(*fp32, samples), fp32Fetches, nullptr, inner);
        const auto actual = quantized.run(feeds, fetches, nullptr, inner);
        for (std::size_t i = 0; i < layers.size(); ++i) {
            const auto a = expected[i].data<float>();
            const auto b = actual[i].data<float>();
            for (std::size_t k = 0; k < a.size(); ++k) {
                const double difference = static_cast<double>(a[k]) - static_cast<double>(b[k]);
                signal[i] += static_cast<double>(a[k]) * static_cast<double>(a[k]);
                noise[i] += difference * difference;
            }
        }
    }
    std::vector<LayerDistance> distances;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        distances.push_back({layers[i].first, sqnrDbOf(signal[i], noise[i])});
    }
    return distances;
}

} // namespace

std::map<std::string, double> layerSqnr(std::shared_ptr<const Model> model, const ResolvedPlan& plan,
    const DataSource& data, std::int64_t samples, const TaskContext& context,
    std::shared_ptr<const Model> fp32)
{
    Executor reference(fp32 ? fp32 : model);
    Executor quantized(model);
    PlanApplier(quantized).apply(plan);
    std::map<std::string, double> result;
    for (const LayerDistance& distance : layerDistances(reference, quantized, data, 0, samples, context)) {
        result[distance.layer] = distance.sqnrDb;
    }
    return result;
}

std::vector<LayerDistance> layerTrace(std::shared_ptr<const Model> model, const ResolvedPlan& first,
    const ResolvedPlan& second, const DataSource& data, std::int64_t index, const TaskContext& context,
    std::shared_ptr<const Model> firstModel)
{
    if (index < 0 || index >= data.size()) {
        throw Error(ErrorCode::InvalidArgument,
            "there is no sample " + std::to_string(index) + " among " + std::to_string(data.size()));
    }
    const std::int64_t batch = batchSizeOf(*model->graph, 1);
    const std::int64_t from = index - index % batch;
    Executor one(firstModel ? std::move(firstModel) : model);
    Executor other(model);
    PlanApplier(one).apply(first);
    PlanApplier(other).apply(second);
    return layerDistances(one, other, data, from, from + batch, context);
}

Evaluation evaluatePlan(std::shared_ptr<const Model> model, const ResolvedPlan& plan, const DataSource& data,
    const Fp32Reference& reference, const TaskContext& context, std::shared_ptr<const Model> fp32)
{
    const std::int64_t total = reference.metrics.samples;
    Evaluation evaluation;
    {
        Executor executor(model);
        PlanApplier(executor).apply(plan);
        std::optional<Executor> again; // for outputs that were not kept
        MetricsAccumulator metrics(model->task);
        for (std::int64_t first = 0; first < total; first += reference.batch) {
            context.throwIfCancelled();
            context.report("evaluate", first, total);
            const std::int64_t count = std::min(reference.batch, total - first);
            const BatchRun run = runBatch(executor, data, first, count, context);
            const auto index = static_cast<std::size_t>(first / reference.batch);
            const bool kept = index < reference.outputs.size();
            if (!kept && !again) {
                again.emplace(fp32 ? fp32 : model);
            }
            const Tensor expected
                = kept ? reference.outputs[index] : runBatch(*again, data, first, count, context).output;
            metrics.add(run.output, expected, run.targets);
            const std::vector<SampleOutcome> outcomes = sampleOutcomes(run.output, expected, first);
            evaluation.outcomes.insert(evaluation.outcomes.end(), outcomes.begin(), outcomes.end());
        }
        context.report("evaluate", total, total);
        evaluation.metrics = metrics.result();
    }
    const std::int64_t probe = std::max(std::min(kLayerSamples, total), batchSizeOf(*model->graph, 1));
    evaluation.layerSqnrDb = layerSqnr(std::move(model), plan, data, probe, context, std::move(fp32));
    return evaluation;
}

} // namespace qs
