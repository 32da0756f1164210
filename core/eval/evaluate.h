#pragma once

#include "core/eval/metrics.h"
#include "core/eval/sample_outcomes.h"
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
    std::vector<SampleOutcome> outcomes {}; ///< one per sample, in order
};

/// What the FP32 model says of the first samples of a set: what plans are measured against.
struct Fp32Reference
{
    Metrics metrics; ///< of the FP32 model itself
    std::int64_t batch = 0; ///< samples per entry of `outputs`
    std::vector<Tensor>
        outputs; ///< of the first batches, as many as fit; the rest is computed again when needed
};

/// Samples used for the per-layer figures of an evaluation.
inline constexpr std::int64_t kLayerSamples = 8;
/// Bytes of FP32 outputs an Fp32Reference keeps.
inline constexpr std::size_t kReferenceBytes = std::size_t {1} << 28U;

/// `samples` as asked for, limited to what the source has; 0 asks for all. A model whose batch is fixed gets
/// whole batches only. Throws Error(InvalidArgument) when no sample is left.
[[nodiscard]] std::int64_t sampleCountOf(const Graph& graph, const DataSource& data, std::int64_t samples);

/// What each row of the model's output for `batch` (of its first input) should predict: the next tokens of a
/// language model, else nothing.
[[nodiscard]] std::vector<std::optional<int>> targetsOf(const Model& model, const Tensor& batch);
/// The same of samples [first, first + batch[0]) of a set, whose outputs have this shape: of classifiers with
/// one row a sample the labels.
[[nodiscard]] std::vector<std::optional<int>> targetsOf(
    const Model& model, const DataSource& data, std::int64_t first, const Tensor& batch, const Shape& logits);

/// FP32 pass over the first `samples` samples (0 = all); the executor must have no transforms. Reports
/// "evaluate" in samples. Keeps at most `byteLimit` bytes of outputs.
[[nodiscard]] Fp32Reference computeReference(Executor& executor, const DataSource& data, std::int64_t samples,
    const TaskContext& context = {}, std::int64_t batch = 8, std::size_t byteLimit = kReferenceBytes);

/// Fake-quantized forward pass over the samples of `reference`, which is of the same data and of `fp32`: the
/// model that `model` was rewritten from, null where it is `model` itself. Throws Error as the executor and
/// the data source do.
[[nodiscard]] Evaluation evaluatePlan(std::shared_ptr<const Model> model, const ResolvedPlan& plan,
    const DataSource& data, const Fp32Reference& reference, const TaskContext& context = {},
    std::shared_ptr<const Model> fp32 = nullptr);

/// SQNR in dB of every layer's output under the plan against FP32 (of `fp32` as above), both run end to end
/// on the first `samples` samples.
[[nodiscard]] std::map<std::string, double> layerSqnr(std::shared_ptr<const Model> model,
    const ResolvedPlan& plan, const DataSource& data, std::int64_t samples, const TaskContext& context = {},
    std::shared_ptr<const Model> fp32 = nullptr);

/// How far two plans are apart behind every layer, in execution order, on one sample: SQNR in dB of the
/// second plan's output against the first's. An empty plan is FP32. The sample is `index` of `data` (of a
/// model with a fixed batch, the batch that holds it). firstModel: where the first plan is for another form
/// of the model.
struct LayerDistance
{
    std::string layer;
    double sqnrDb = 0.0;
};
[[nodiscard]] std::vector<LayerDistance> layerTrace(std::shared_ptr<const Model> model,
    const ResolvedPlan& first, const ResolvedPlan& second, const DataSource& data, std::int64_t index,
    const TaskContext& context = {}, std::shared_ptr<const Model> firstModel = nullptr);

} // namespace qs
