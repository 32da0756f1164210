#pragma once

#include "core/quant/resolve.h"
#include "core/runtime/executor.h"

namespace qs {

/// Keeps an executor's fake quantizers equal to a resolved plan. apply() touches only sites whose parameters
/// changed since the last call, so that an edit of one site does not re-quantize every weight. The executor
/// must outlive it.
class PlanApplier
{
public:
    explicit PlanApplier(Executor& executor);

    /// Sites that are not in the plan run in floating point. Names that the model lacks are an
    /// Error(InvalidArgument).
    void apply(const ResolvedPlan& plan);
    [[nodiscard]] const ResolvedPlan& applied() const { return m_applied; }

private:
    void set(int site, const QuantParams& params);
    void clear(int site);

    Executor& m_executor;
    ResolvedPlan m_applied;
};

} // namespace qs
