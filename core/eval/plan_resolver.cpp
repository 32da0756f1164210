#include "core/eval/plan_resolver.h"

#include "core/eval/model_form.h"

namespace qs {

PlanResolver::PlanResolver(std::shared_ptr<const Model> model, std::shared_ptr<const Calibration> calibration,
    std::shared_ptr<const ModelForm> form)
    : m_model(std::move(model))
    , m_calibration(std::move(calibration))
    , m_form(std::move(form))
{
}

const QuantParams& PlanResolver::resolve(int site, const SiteChoice& choice)
{
    const Site& target = m_model->sites.at(static_cast<std::size_t>(site));
    if (const QuantParams* given = m_form ? m_form->given(target.name, choice) : nullptr) {
        return *given;
    }
    const auto known = m_entries.find(target.name);
    if (known != m_entries.end() && known->second.choice == choice) {
        return known->second.params;
    }
    QuantParams params = resolveSite(*m_model, target, choice, *m_calibration);
    return m_entries.insert_or_assign(target.name, Entry {choice, std::move(params)}).first->second.params;
}

ResolvedPlan PlanResolver::resolve(const Plan& plan, const TaskContext& context)
{
    ResolvedPlan resolved;
    for (int i = 0; i < static_cast<int>(m_model->sites.size()); ++i) {
        const std::string& name = m_model->sites[static_cast<std::size_t>(i)].name;
        const SiteChoice* choice = plan.find(name);
        if (choice != nullptr && choice->enabled) {
            context.throwIfCancelled();
            resolved[name] = resolve(i, *choice);
        }
    }
    return resolved;
}

} // namespace qs
