#pragma once

#include "core/eval/evaluate.h"

#include <memory>
#include <string>

namespace qs {

/// Error of the layers that read a site, over the probe set.
struct LayerError
{
    std::string layer;
    double sqnrDb = 0.0; ///< of the layer's output: quantized against FP32, both fed the FP32 layer input
    double meanSquared = 0.0;
    std::int64_t samples = 0;
};

/// Live error of edits on a few probe samples. Caches every FP32 site input, layer output and block boundary once
/// (prepare), and for a plan the quantized block boundaries, so that an edit re-runs only what lies behind it.
/// One thread at a time.
class IncrementalEvaluator
{
public:
    IncrementalEvaluator(std::shared_ptr<const Model> model, Tensor probe);
    ~IncrementalEvaluator();

    /// FP32 pass that fills the caches. Called by the others when needed.
    void prepare(const TaskContext& context = {});
    /// The consuming layer's output with only this site quantized by `params`.
    [[nodiscard]] LayerError layerError(int site, const QuantParams& params, const TaskContext& context = {});
    /// Logits metrics of the whole plan with `site` replaced by `params`: prefix values are reused where the plan in
    /// front of the site did not change since the last call.
    [[nodiscard]] Metrics modelError(
        const ResolvedPlan& plan, int editedSite, const TaskContext& context = {});
    [[nodiscard]] std::int64_t sampleCount() const;

private:
    class Implementation;
    std::unique_ptr<Implementation> m_implementation;
};

} // namespace qs
