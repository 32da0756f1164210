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
    run.targets = targetsOf(model, samples);
    const bool rowPerSample = run.output.shape().rank() == 2;
    if (model.task == ModelTask::Classification && rowPerSample) {
        for (std::int64_t i = first; i < first + count; ++i) {
            run.targets.push_back(data.label(i));
        }
    }
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

std::map<std::string, double> layerSqnr(std::shared_ptr<const Model> model, const ResolvedPlan& plan,
    const DataSource& data, std::int64_t samples, const TaskContext& context,
    std::shared_ptr<const Model> fp32)
{
    if (!fp32) {
        fp32 = model;
    }
    const auto layers = layerOutputs(*model);
    std::vector<ValueId> fetches;
    std::vector<ValueId> fp32Fetches;
    for (const auto& layer : layers) {
        fetches.push_back(layer.second);
        fp32Fetches.push_back(fp32->graph->findValue(model->graph->value(layer.second).name).value());
    }
    const std::int64_t batch = batchSizeOf(*model->graph, 1); // one at a time: all outputs are kept
    Executor reference(fp32);
    Executor quantized(model);
    PlanApplier(quantized).apply(plan);
    std::vector<double> signal(layers.size(), 0.0);
    std::vector<double> noise(layers.size(), 0.0);
    const TaskContext inner {context.stop, {}};
    for (std::int64_t first = 0; first + batch <= samples; first += batch) {
        context.report("layer errors", first, samples);
        const std::vector<Feed> feeds = feedsOf(*model->graph, loadBatch(data, first, batch));
        const auto expected
            = reference.run(fp32 == model ? feeds : feedsOf(*fp32->graph, loadBatch(data, first, batch)),
                fp32Fetches, nullptr, inner);
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
    std::map<std::string, double> result;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        result[layers[i].first] = sqnrDbOf(signal[i], noise[i]);
    }
    return result;
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
            if (index < reference.outputs.size()) {
                metrics.add(run.output, reference.outputs[index], run.targets);
                continue;
            }
            if (!again) {
                again.emplace(fp32 ? fp32 : model);
            }
            metrics.add(run.output, runBatch(*again, data, first, count, context).output, run.targets);
        }
        context.report("evaluate", total, total);
        evaluation.metrics = metrics.result();
    }
    const std::int64_t probe = std::max(std::min(kLayerSamples, total), batchSizeOf(*model->graph, 1));
    evaluation.layerSqnrDb = layerSqnr(std::move(model), plan, data, probe, context, std::move(fp32));
    return evaluation;
}

} // namespace qs
