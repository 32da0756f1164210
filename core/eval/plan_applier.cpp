#include "core/eval/plan_applier.h"

#include "core/base/error.h"
#include "core/quant/fake_quantizer.h"

namespace qs {

PlanApplier::PlanApplier(Executor& executor)
    : m_executor(executor)
{
}

void PlanApplier::apply(const ResolvedPlan& plan)
{
    const auto& sites = m_executor.model().sites;
    for (const auto& [name, params] : plan) {
        if (indexOfSite(sites, name) < 0) {
            throw Error(ErrorCode::InvalidArgument, "the model has no site named '" + name + "'");
        }
    }
    for (int i = 0; i < static_cast<int>(sites.size()); ++i) {
        const std::string& name = sites[static_cast<std::size_t>(i)].name;
        const auto wanted = plan.find(name);
        const auto present = m_applied.find(name);
        if (wanted == plan.end()) {
            if (present != m_applied.end()) {
                clear(i);
            }
        } else if (present == m_applied.end() || !(present->second == wanted->second)) {
            set(i, wanted->second);
        }
    }
    m_applied = plan;
}

void PlanApplier::set(int site, const QuantParams& params)
{
    const Model& model = m_executor.model();
    const Site& target = model.sites[static_cast<std::size_t>(site)];
    if (target.kind == SiteKind::Activation) {
        m_executor.setSiteTransform(site, std::make_shared<FakeQuantizer>(params));
    } else {
        const Tensor weight = model.graph->value(target.value).constant.toF32();
        m_executor.setConstant(target.value, fakeQuantizedWeight(weight, params, target.weightAxis));
    }
}

void PlanApplier::clear(int site)
{
    const Site& target = m_executor.model().sites[static_cast<std::size_t>(site)];
    if (target.kind == SiteKind::Activation) {
        m_executor.setSiteTransform(site, nullptr);
    } else {
        m_executor.setConstant(target.value, Tensor());
    }
}

} // namespace qs
