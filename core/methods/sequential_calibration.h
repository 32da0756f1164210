#pragma once

#include "core/quant/resolve.h"
#include "core/runtime/executor.h"

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace qs {

/// Quantizer of an activation from the values themselves (not from histograms): bounds by choice.method for
/// the tensor or for every channel or head. Throws Error(InvalidArgument) naming the site when values are not
/// finite.
[[nodiscard]] QuantParams quantizerOfValues(
    const Site& site, const SiteChoice& choice, const ActivationView& view);

/// What a SequentialCalibration finds in a run up to the node `stop`, for a model that takes one sample at a
/// time: site by site, each over all samples, with the quantizers found before in effect; they stay in the
/// executor. `samples` holds the feeds of every sample. Reports "calibrate".
[[nodiscard]] ResolvedPlan calibrateSampleBySample(Executor& executor, const Plan& plan,
    std::span<const std::vector<Feed>> samples, NodeId stop, const TaskContext& context = {});

/// Gives every activation site of a plan its quantizer during one run over the whole calibration set: each is
/// made from the values that reach it, with all quantizers before it in effect, and is in effect itself from
/// there on. So did the published RepQ-ViT code (methods.md 1.2, "sequential calibration"). Used for one run
/// of one batch.
class SequentialCalibration final : public SiteObserver
{
public:
    /// Puts transforms into the executor for all enabled activation sites of the plan; they stay in effect.
    SequentialCalibration(Executor& executor, const Plan& plan);
    ~SequentialCalibration() override;

    [[nodiscard]] bool wants(int site) const override;
    void observe(int site, const ActivationView& view) override;
    /// By site name, of the sites seen so far.
    [[nodiscard]] ResolvedPlan quantizers() const;

private:
    class LateQuantizer;
    const std::vector<Site>& m_sites;
    std::vector<const SiteChoice*> m_choices; ///< by site; null: not this one's business
    std::vector<std::shared_ptr<LateQuantizer>> m_quantizers;
    Plan m_plan;
};

} // namespace qs
