#pragma once

#include "core/eval/evaluate.h"
#include "core/eval/model_feeds.h"
#include "core/eval/plan_applier.h"

#include <cstring>
#include <memory>

namespace qs::test {

/// Given logits [N, classes] as what plans are measured against.
inline Fp32Reference referenceOf(const Tensor& logits)
{
    Fp32Reference reference;
    reference.batch = 4;
    const std::int64_t classes = logits.shape()[1];
    reference.metrics.samples = logits.shape()[0];
    for (std::int64_t first = 0; first < logits.shape()[0]; first += reference.batch) {
        const std::int64_t count = std::min(reference.batch, logits.shape()[0] - first);
        reference.outputs.push_back(Tensor::of<float>(Shape {count, classes},
            logits.data<float>().subspan(
                static_cast<std::size_t>(first * classes), static_cast<std::size_t>(count * classes))));
    }
    return reference;
}

/// Logits [N, classes] of a quantized model over a whole data set.
inline Tensor logitsOf(
    std::shared_ptr<const Model> model, const ResolvedPlan& quantizers, const DataSource& data)
{
    const std::int64_t batch = batchSizeOf(*model->graph, 4);
    Executor executor(model);
    PlanApplier(executor).apply(quantizers);
    const ValueId output = model->graph->outputs().front();
    Tensor all;
    for (std::int64_t first = 0; first < data.size(); first += batch) {
        const Feed feed {
            model->graph->inputs().front(), loadBatch(data, first, std::min(batch, data.size() - first))};
        const Tensor part = executor.run({&feed, 1}, {&output, 1}).front();
        if (!all.valid()) {
            all = Tensor(DType::F32, Shape {data.size(), part.shape()[1]});
        }
        std::memcpy(
            all.mutableData<float>().data() + first * part.shape()[1], part.bytes(), part.byteCount());
    }
    return all;
}

/// Metrics of logits against others.
inline Metrics metricsOf(const Tensor& logits, const Tensor& reference, const DataSource& data)
{
    std::vector<std::optional<int>> labels;
    for (std::int64_t i = 0; i < logits.shape()[0]; ++i) {
        labels.push_back(data.label(i));
    }
    return computeMetrics(logits, reference, labels);
}

} // namespace qs::test
