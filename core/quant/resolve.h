#pragma once

#include "core/base/task_context.h"
#include "core/models/model.h"
#include "core/quant/plan.h"
#include "core/stats/site_statistics.h"

#include <map>
#include <string>

namespace qs {

/// Quantizers of all enabled sites of a plan, by site name.
using ResolvedPlan = std::map<std::string, QuantParams>;

/// Appends the scale, zero point and bounds that scaleForBounds() gives for the kind, symmetry and bits of
/// `params`.
void appendScale(QuantParams& params, const Bounds& bounds);

/// Turns a choice for an activation site into scales and zero points; choice.enabled is not looked at. How
/// the bounds come about: searchBounds(); what they become: scaleForBounds(). An empty group gets scale 1.
/// Throws Error(InvalidArgument) on bits outside 2..16 or bad manual bounds, Error(Cancelled).
[[nodiscard]] QuantParams resolveActivation(
    const SiteChoice& choice, const SiteStatistics& statistics, const TaskContext& context = {});
/// Same for a weight (F32, any rank; output channels along `axis`), from its finite values.
[[nodiscard]] QuantParams resolveWeight(
    const SiteChoice& choice, const Tensor& weight, int axis, const TaskContext& context = {});
/// Same for any site of a model. Manual bounds need no statistics. Throws Error(InvalidArgument) naming the site,
/// also when the calibration lacks it.
[[nodiscard]] QuantParams resolveSite(const Model& model, const Site& site, const SiteChoice& choice,
    const Calibration& calibration, const TaskContext& context = {});

/// All enabled sites. An enabled choice for a name that the model lacks is an Error(InvalidArgument).
[[nodiscard]] ResolvedPlan resolvePlan(
    const Model& model, const Plan& plan, const Calibration& calibration, const TaskContext& context = {});
/// Same result as resolvePlan(), where `previous` is the result of `previousPlan` with the same model and
/// calibration: only sites with another choice are worked out again.
[[nodiscard]] ResolvedPlan updateResolvedPlan(const ResolvedPlan& previous, const Plan& previousPlan,
    const Model& model, const Plan& plan, const Calibration& calibration, const TaskContext& context = {});

} // namespace qs
