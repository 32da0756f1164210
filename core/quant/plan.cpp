#include "core/quant/plan.h"

namespace qs {

namespace {

bool isPostNorm(Role role)
{
    return role == Role::PostNormQkv || role == Role::PostNormFc1;
}

SiteChoice weightChoice(const PresetOptions& options)
{
    SiteChoice choice;
    choice.symmetry = options.weightSymmetry;
    choice.granularity = Granularity::Group;
    choice.bits = options.weightBits;
    return choice;
}

SiteChoice activationChoice(const Site& site, const PresetOptions& options)
{
    SiteChoice choice;
    choice.symmetry = options.symmetry;
    choice.bits = site.role == Role::PatchEmbedding ? options.patchInputBits : options.activationBits;
    if (isPostNorm(site.role)) {
        choice.granularity = options.normGranularity;
    }
    if (site.role == Role::Softmax) {
        choice.kind = options.softmaxKind;
    }
    return choice;
}

} // namespace

const SiteChoice* Plan::find(const std::string& site) const
{
    const auto found = choices.find(site);
    return found == choices.end() ? nullptr : &found->second;
}

Plan makePreset(const std::vector<Site>& sites, const PresetOptions& options)
{
    Plan plan;
    for (const Site& site : sites) {
        SiteChoice choice
            = site.kind == SiteKind::Weight ? weightChoice(options) : activationChoice(site, options);
        choice.enabled = site.role != Role::FrontEnd;
        // A preset knows no bounds that somebody set by hand.
        choice.method = options.method == BoundMethod::Manual ? BoundMethod::MinMax : options.method;
        plan.choices[site.name] = choice;
    }
    return plan;
}

} // namespace qs
