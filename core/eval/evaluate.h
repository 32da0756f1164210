#pragma once

#include "core/eval/metrics.h"
#include "core/io/data_source.h"
#include "core/quant/resolve.h"
#include "core/runtime/executor.h"

#include <map>
#include <memory>

namespace qs {

/// Sets the fake quantizers of a resolved plan on an executor and removes those of sites that are not in it. Weight
/// copies of sites whose parameters did not change since the last call are kept.
class PlanApplier
{
public:
    explicit PlanApplier(Executor& executor);
    void apply(const ResolvedPlan& plan);

private:
    Executor& m_executor;
    ResolvedPlan m_applied;
};

/// Logits of the FP32 model over `samples` samples (0 = all), [N, classes].
[[nodiscard]] Tensor computeLogits(Executor& executor, const DataSource& data, std::int64_t samples,
    const TaskContext& context = {}, std::int64_t batch = 8);

/// One evaluation: metrics over the set and, per layer, the SQNR of the layer's output against FP32.
struct Evaluation
{
    Metrics metrics;
    std::map<std::string, double> layerSqnrDb; ///< by layer (Site::layer), over the first samples of the set
    Tensor logits; ///< of the quantized model
};

/// Fake-quantized forward pass over the set. `reference` are FP32 logits of the same samples (computeLogits).
[[nodiscard]] Evaluation evaluatePlan(std::shared_ptr<const Model> model, const ResolvedPlan& plan,
    const DataSource& data, const Tensor& reference, const TaskContext& context = {}, std::int64_t batch = 8);

} // namespace qs
