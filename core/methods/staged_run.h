#pragma once

#include "core/quant/resolve.h"
#include "core/runtime/executor.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace qs {

/// Runs a model once over a set of samples, stopping at nodes that its user names, so that what lies behind
/// can be changed by what has been seen. Between stops it keeps the values that the rest of the graph still
/// needs: for a transformer the residual stream and one activation.
class StagedRun
{
public:
    /// samples [N, ...]: all of them run as one batch, or one after the other where the model takes one only.
    /// Throws Error(Unsupported) when the model has not one input.
    StagedRun(std::shared_ptr<const Model> model, const Tensor& samples);
    ~StagedRun();

    /// Goes on with another form of the model, which computes the same values by the same names up to here,
    /// under these activation quantizers.
    void change(std::shared_ptr<const Model> model, const ResolvedPlan& activations);
    /// Runs until just before the node of that name.
    void advanceTo(const std::string& node, const TaskContext& context = {});
    /// The same; the sites of the plan that are passed get quantizers, each in effect for what follows it.
    [[nodiscard]] ResolvedPlan calibrateTo(
        const std::string& node, const Plan& plan, const TaskContext& context = {});
    /// A value that is kept, or can be computed from those that are, without moving on. Raw: no quantizer of
    /// its own site was applied. Single samples lie one after the other along the first dimension, which it
    /// must have.
    [[nodiscard]] Tensor value(const std::string& name, const TaskContext& context = {});

private:
    using Values = std::map<std::string, Tensor>;

    void advance(const std::string& node, SiteObserver* observer, const TaskContext& context);
    [[nodiscard]] NodeId nodeNamed(const std::string& name) const;
    [[nodiscard]] std::vector<Feed> feedsOf(const Values& values) const;

    std::shared_ptr<const Model> m_model;
    std::unique_ptr<Executor> m_executor;
    std::vector<Values> m_runs; ///< one of the whole batch, or one for every sample
};

} // namespace qs
