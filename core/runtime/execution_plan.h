#pragma once

#include "core/runtime/step.h"

#include <compare>
#include <memory>
#include <vector>

namespace qs {

/// What a plan is made for: two runs with equal requests use the same plan.
struct PlanRequest
{
    std::vector<ValueId> feeds;
    std::vector<ValueId> fetches;
    std::vector<std::uint8_t> observed; ///< per site
    std::vector<std::uint8_t> transformed; ///< per site

    friend auto operator<=>(const PlanRequest&, const PlanRequest&) = default;
};

/// Steps in order; after each, the slots nobody reads any more.
struct ExecutionPlan
{
    std::vector<std::unique_ptr<Step>> steps;
    std::vector<std::vector<Slot>> releases;
    std::vector<ValueId>
        staticValues; ///< constants and what follows from them alone, to be put in before the run
};

/// What the steps need of the executor; must outlive the plan.
struct PlanContext
{
    const Model& model;
    const std::vector<std::shared_ptr<const RowTransform>>& transforms; ///< per site; null: none
};

/// The nodes that the fetches need behind the feeds, fused where nobody sees what lies between them. Throws
/// Error(InvalidArgument) naming a graph input that is needed and not fed.
[[nodiscard]] ExecutionPlan makePlan(const PlanContext& context, const PlanRequest& request);

} // namespace qs
