#include "core/eval/evaluate.h"

#include "core/base/error.h"
#include "core/eval/plan_applier.h"

#include <algorithm>
#include <cstring>

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

ValueId singleInput(const Graph& graph)
{
    if (graph.inputs().size() != 1) {
        throw Error(ErrorCode::Unsupported,
            "evaluation needs a model with one input, this one has " + std::to_string(graph.inputs().size()));
    }
    return graph.inputs().front();
}

Tensor rowsOf(const Tensor& tensor, std::int64_t first, std::int64_t count)
{
    std::vector<std::int64_t> dims = tensor.shape().dims();
    const std::int64_t rowSize = tensor.shape().product(1, tensor.shape().rank());
    dims[0] = count;
    return Tensor::of<float>(Shape(std::move(dims)),
        tensor.data<float>().subspan(
            static_cast<std::size_t>(first * rowSize), static_cast<std::size_t>(count * rowSize)));
}

} // namespace

std::int64_t sampleCountOf(const DataSource& data, std::int64_t samples)
{
    return samples <= 0 ? data.size() : std::min(samples, data.size());
}

std::vector<std::optional<int>> labelsOf(const DataSource& data, std::int64_t samples)
{
    std::vector<std::optional<int>> labels;
    for (std::int64_t i = 0; i < samples; ++i) {
        labels.push_back(data.label(i));
    }
    return labels;
}

Tensor computeLogits(Executor& executor, const DataSource& data, std::int64_t samples,
    const TaskContext& context, std::int64_t batch)
{
    const Graph& graph = *executor.model().graph;
    const ValueId input = singleInput(graph);
    const ValueId output = graph.outputs().front();
    const std::int64_t total = sampleCountOf(data, samples);
    if (total == 0) {
        throw Error(ErrorCode::InvalidArgument, "there are no samples to evaluate");
    }
    Tensor logits;
    for (std::int64_t first = 0; first < total; first += batch) {
        context.throwIfCancelled();
        context.report("evaluate", first, total);
        const std::int64_t count = std::min(batch, total - first);
        const Feed feed {input, loadBatch(data, first, count)};
        const TaskContext inner {context.stop, {}};
        const Tensor part = executor.run({&feed, 1}, {&output, 1}, nullptr, inner).front();
        const std::int64_t classes = part.elementCount() / count;
        if (!logits.valid()) {
            logits = Tensor(DType::F32, Shape {total, classes});
        }
        std::memcpy(logits.mutableData<float>().data() + first * classes, part.bytes(), part.byteCount());
    }
    context.report("evaluate", total, total);
    return logits;
}

std::map<std::string, double> layerSqnr(std::shared_ptr<const Model> model, const ResolvedPlan& plan,
    const Tensor& samples, const TaskContext& context)
{
    const auto layers = layerOutputs(*model);
    std::vector<ValueId> fetches;
    for (const auto& layer : layers) {
        fetches.push_back(layer.second);
    }
    const ValueId input = singleInput(*model->graph);
    Executor reference(model);
    Executor quantized(model);
    PlanApplier(quantized).apply(plan);
    std::vector<double> signal(layers.size(), 0.0);
    std::vector<double> noise(layers.size(), 0.0);
    const TaskContext inner {context.stop, {}};
    for (std::int64_t sample = 0; sample < samples.shape()[0];
         ++sample) { // one at a time: all outputs are kept
        context.report("layer errors", sample, samples.shape()[0]);
        const Feed feed {input, rowsOf(samples, sample, 1)};
        const auto expected = reference.run({&feed, 1}, fetches, nullptr, inner);
        const auto actual = quantized.run({&feed, 1}, fetches, nullptr, inner);
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
    const Tensor& reference, const TaskContext& context, std::int64_t batch)
{
    Evaluation evaluation;
    const std::int64_t samples = reference.shape()[0];
    {
        Executor executor(model);
        PlanApplier(executor).apply(plan);
        evaluation.logits = computeLogits(executor, data, samples, context, batch);
    }
    evaluation.metrics = computeMetrics(evaluation.logits, reference, labelsOf(data, samples));
    const Tensor probe = loadBatch(data, 0, std::min(kLayerSamples, samples));
    evaluation.layerSqnrDb = layerSqnr(std::move(model), plan, probe, context);
    return evaluation;
}

} // namespace qs
