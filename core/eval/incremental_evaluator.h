#pragma once

#include "core/eval/error_estimate.h"
#include "core/eval/metrics.h"
#include "core/quant/resolve.h"
#include "core/runtime/executor.h"

#include <memory>
#include <string>
#include <vector>

namespace qs {

/// Error at the output of the layer that reads a site, over the probe set.
struct LayerError
{
    std::string layer;
    double sqnrDb = 0.0; ///< of the layer's output with this site quantized, all its other inputs in FP32
    double meanSquared = 0.0; ///< squared units of that output
    std::int64_t samples = 0;
};

/// Live error of edits on a few probe samples. FP32 values at the cut values are computed once; for a plan,
/// so are the quantized ones in front of the site being edited, so that an edit re-runs only what lies behind
/// it. Used by one thread at a time.
class IncrementalEvaluator
{
public:
    /// probe: samples [N, ...] for the model's first input, N small (8); a model whose batch is fixed gets
    /// them in batches of that size, and those left over are not used. Throws Error: Unsupported as Executor
    /// does, InvalidArgument when they do not fill a batch.
    /// fp32: the model that `model` was rewritten from, null where it is `model` itself.
    IncrementalEvaluator(
        std::shared_ptr<const Model> model, Tensor probe, std::shared_ptr<const Model> fp32 = nullptr);
    ~IncrementalEvaluator();
    IncrementalEvaluator(const IncrementalEvaluator&) = delete;
    IncrementalEvaluator& operator=(const IncrementalEvaluator&) = delete;

    /// FP32 pass that fills the caches. The other calls do it when needed.
    void prepare(const TaskContext& context = {});

    /// Output error of Site::layer with only this site quantized by `params`, everything else of `model`
    /// (also a rewritten one) in floating point. The layer's FP32 inputs and
    /// output of the last asked sites stay cached. Throws Error(Cancelled) when superseded.
    [[nodiscard]] LayerError layerError(int site, const QuantParams& params, const TaskContext& context = {});

    /// Metrics of the logits under `plan` against those of `fp32` (without labels; language models with NLL).
    /// `editedSite` is the site the user's hand is on (-1: none): quantized values in front of it are kept
    /// for the next call. The result does not depend on what is cached.
    [[nodiscard]] Metrics modelError(
        const ResolvedPlan& plan, int editedSite, const TaskContext& context = {});

    /// Sample by sample, of the last modelError().
    [[nodiscard]] const std::vector<SampleError>& sampleErrors() const;
    /// The same errors on samples beside the probe set, [N, ...] in a batch the model takes. `key` names
    /// them: their FP32 logits are computed once. Throws Error as run() does.
    [[nodiscard]] std::vector<SampleError> furtherErrors(
        const ResolvedPlan& plan, std::int64_t key, const Tensor& samples, const TaskContext& context = {});

    [[nodiscard]] std::int64_t sampleCount() const;

private:
    class Implementation;
    std::unique_ptr<Implementation> m_implementation;
};

} // namespace qs
