#pragma once

#include "core/quant/resolve.h"
#include "core/runtime/executor.h"

#include <map>
#include <memory>
#include <string>

namespace qs {

/// Runs a model once over a set of samples, stopping at nodes that its user names, so that what lies behind
/// can be changed by what has been seen. Between stops it keeps the values that the rest of the graph still
/// needs: for a transformer the residual stream and one activation.
class StagedRun
{
public:
    /// samples [N, ...]: all of them run as one batch. Throws Error(Unsupported) when the model has not one
    /// input.
    StagedRun(std::shared_ptr<const Model> model, const Tensor& samples);
    ~StagedRun();

    /// Goes on with another form of the model, which computes the same values by the same names up to here,
    /// under these activation quantizers.
    void change(std::shared_ptr<const Model> model, const ResolvedPlan& activations);
    /// Runs until just before the node of that name.
    void advanceTo(
        const std::string& node, SiteObserver* observer = nullptr, const TaskContext& context = {});
    /// A value that is kept, or can be computed from those that are, without moving on. Raw: no quantizer of
    /// its own site was applied.
    [[nodiscard]] Tensor value(const std::string& name, const TaskContext& context = {});
    [[nodiscard]] Executor& executor() { return *m_executor; }
    [[nodiscard]] const Model& model() const { return *m_model; }

private:
    [[nodiscard]] std::vector<Feed> feeds() const;

    std::shared_ptr<const Model> m_model;
    std::unique_ptr<Executor> m_executor;
    std::map<std::string, Tensor> m_values;
};

} // namespace qs
