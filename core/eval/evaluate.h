#pragma once

#include "core/eval/metrics.h"
#include "core/io/data_source.h"
#include "core/quant/resolve.h"
#include "core/runtime/executor.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qs {

/// One evaluation of a plan: metrics over the set and, per layer, the SQNR of its output against FP32.
struct Evaluation
{
    Metrics metrics;
    std::map<std::string, double> layerSqnrDb; ///< by Site::layer; over the first kLayerSamples samples
    Tensor logits; ///< [N, classes] of the quantized model
};

/// Samples used for the per-layer figures of an evaluation.
inline constexpr std::int64_t kLayerSamples = 8;

/// `samples` as asked for, limited to what the source has; 0 asks for all.
[[nodiscard]] std::int64_t sampleCountOf(const DataSource& data, std::int64_t samples);
/// Labels of the first `samples` samples.
[[nodiscard]] std::vector<std::optional<int>> labelsOf(const DataSource& data, std::int64_t samples);

/// Logits of whatever the executor is set to compute over the first `samples` samples (0 = all), as [N,
/// classes]: the graph's first output with all dimensions behind the batch flattened. Reports "evaluate" per
/// sample.
[[nodiscard]] Tensor computeLogits(Executor& executor, const DataSource& data, std::int64_t samples,
    const TaskContext& context = {}, std::int64_t batch = 8);

/// Fake-quantized forward pass over as many samples as `reference` has rows; `reference` are the FP32 logits
/// of the same samples (computeLogits). Throws Error as the executor and the data source do.
[[nodiscard]] Evaluation evaluatePlan(std::shared_ptr<const Model> model, const ResolvedPlan& plan,
    const DataSource& data, const Tensor& reference, const TaskContext& context = {}, std::int64_t batch = 8);

/// SQNR in dB of every layer's output under the plan against FP32, both run end to end on `samples` [N, ...].
[[nodiscard]] std::map<std::string, double> layerSqnr(std::shared_ptr<const Model> model,
    const ResolvedPlan& plan, const Tensor& samples, const TaskContext& context = {});

} // namespace qs
