#include "core/eval/model_form.h"

#include "core/eval/plan_resolver.h"
#include "core/quant/manual_choice.h"

namespace qs {

const QuantParams* ModelForm::given(const std::string& site, const SiteChoice& choice) const
{
    const SiteChoice* own = plan.find(site);
    const auto found = quantizers.find(site);
    return own != nullptr && found != quantizers.end() && *own == choice ? &found->second : nullptr;
}

std::shared_ptr<const ModelForm> formOf(const Recipe& recipe, const std::string& name,
    std::shared_ptr<const Model> opened, const TaskContext& context)
{
    auto form = std::make_shared<ModelForm>();
    form->name = name;
    form->rewriting = recipe.rewriting;
    form->seed = recipe.seed;
    form->model = modelOf(recipe, opened);
    form->opened = std::move(opened);
    form->quantizers = quantizersOf(recipe, *form->model, context);
    for (const Site& site : form->model->sites) {
        if (const SiteChoice* choice = recipe.plan.find(site.name)) {
            const bool isGiven = choice->enabled && recipe.quantizers.contains(site.name);
            form->plan.choices[site.name] = isGiven ? manualChoice(form->quantizers.at(site.name)) : *choice;
        }
    }
    return form;
}

Recipe makeRecipe(std::shared_ptr<const ModelForm> form, std::shared_ptr<const Calibration> calibration,
    const Plan& plan, const TaskContext& context)
{
    Recipe recipe = makeRecipe(*form->model, *calibration, Plan(), context);
    recipe.plan = plan;
    recipe.rewriting = form->rewriting;
    recipe.seed = form->seed;
    const auto model = form->model;
    recipe.quantizers = PlanResolver(model, std::move(calibration), std::move(form)).resolve(plan, context);
    return recipe;
}

} // namespace qs
