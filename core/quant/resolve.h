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

/// Appends the scale and zero point that bounds give with the kind, symmetry and bits of `params` (methods.md
/// 0.2): asymmetric s = (upper - lower) / (2^b - 1), z = round(-lower / s), where zero need not lie inside;
/// symmetric s = max(|lower|, |upper|) / (2^(b-1) - 1); logarithmic d = upper. A constant c (lower = upper)
/// becomes s = max(|c|, 1e-8) / (2^b - 1) with z = 0 or 2^b - 1 by its sign, which reproduces it.
void appendScale(QuantParams& params, const Bounds& bounds);

/// Turns a choice for an activation site into scales and zero points. Constant and empty groups get a scale >
/// 0 that reproduces the constant where it can. Throws Error(InvalidArgument) on bits outside 2..16 or bad
/// manual bounds.
[[nodiscard]] QuantParams resolveActivation(const SiteChoice& choice, const SiteStatistics& statistics);
/// Same for a weight (F32, any rank; output channels along `axis`), from its values.
[[nodiscard]] QuantParams resolveWeight(const SiteChoice& choice, const Tensor& weight, int axis);

/// All enabled sites. Throws Error(InvalidArgument) naming a site that the calibration lacks.
[[nodiscard]] ResolvedPlan resolvePlan(
    const Model& model, const Plan& plan, const Calibration& calibration, const TaskContext& context = {});

} // namespace qs
