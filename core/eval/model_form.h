#pragma once

#include "core/io/recipe_file.h"
#include "core/models/model.h"
#include "core/quant/plan.h"
#include "core/quant/resolve.h"
#include "core/quant/rewriting.h"
#include "core/stats/site_statistics.h"

#include <cstdint>
#include <memory>
#include <string>

namespace qs {

/// A model as a method left it: rewritten, with the quantizers that belong to it. What it is measured against
/// stays the model it was made from. A value; never changed once published.
struct ModelForm
{
    std::string name; ///< "repquant W4A4"
    Rewriting rewriting;
    /// What the quantizers are the answer to: where a site's choice is still this one, its quantizer is the
    /// method's own, bit for bit, and not resolved again.
    Plan plan;
    ResolvedPlan quantizers; ///< of every enabled site of `plan`
    std::int64_t seed = 0;
    std::shared_ptr<const Model> opened; ///< FP32, before the rewriting
    std::shared_ptr<const Model> model; ///< after it

    /// The method's own quantizer of a site under this choice; null where the choice is another.
    [[nodiscard]] const QuantParams* given(const std::string& site, const SiteChoice& choice) const;
};

/// What a recipe makes of the model it is for. Sites that the recipe has a quantizer for become manual
/// choices with its bounds. Throws Error as modelOf() and quantizersOf() do.
[[nodiscard]] std::shared_ptr<const ModelForm> formOf(const Recipe& recipe, const std::string& name,
    std::shared_ptr<const Model> opened, const TaskContext& context = {});

/// The recipe of a plan on a form: its rewriting, and the quantizers of all enabled sites. calibration is of
/// form->model. Throws Error as resolvePlan() does.
[[nodiscard]] Recipe makeRecipe(std::shared_ptr<const ModelForm> form,
    std::shared_ptr<const Calibration> calibration, const Plan& plan, const TaskContext& context = {});

} // namespace qs
