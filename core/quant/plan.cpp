#include "core/quant/plan.h"

namespace qs {

const SiteChoice* Plan::find(const std::string& site) const
{
    const auto it = choices.find(site);
    return it == choices.end() ? nullptr : &it->second;
}

Plan makePreset(const std::vector<Site>& sites, const PresetOptions& options)
{
    Plan plan;
    for (const Site& site : sites) {
        SiteChoice choice;
        choice.enabled = true;
        choice.method = options.method;
        if (site.kind == SiteKind::Weight) {
            choice.bits = options.weightBits;
            choice.symmetry = options.weightSymmetry;
            choice.granularity = Granularity::Group;
        } else {
            choice.bits = site.role == Role::PatchEmbedding ? options.patchInputBits : options.activationBits;
            choice.symmetry = options.symmetry;
            if (site.role == Role::PostNormQkv || site.role == Role::PostNormFc1) {
                choice.granularity = options.normGranularity;
            }
            if (site.role == Role::Softmax) {
                choice.kind = options.softmaxKind;
            }
        }
        plan.choices[site.name] = choice;
    }
    return plan;
}

} // namespace qs
