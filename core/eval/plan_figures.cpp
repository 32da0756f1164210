#include "core/eval/plan_figures.h"

namespace qs {

namespace {

constexpr double kFloatBits = 32.0;
constexpr double kBitsPerByte = 8.0;

} // namespace

PlanFigures planFigures(const Model& model, const Plan& plan)
{
    double elements = 0.0;
    double codeBits = 0.0;
    double scaleBits = 0.0;
    double activations = 0.0;
    double activationBits = 0.0;
    for (const Site& site : model.sites) {
        const SiteChoice* choice = plan.find(site.name);
        const bool enabled = choice != nullptr && choice->enabled;
        const double bits = enabled ? static_cast<double>(choice->bits) : kFloatBits;
        if (site.kind == SiteKind::Activation) {
            activations += 1.0;
            activationBits += bits;
            continue;
        }
        if (site.value == kNoValue) {
            continue; // a session without its model
        }
        const auto count = static_cast<double>(model.graph->value(site.value).constant.elementCount());
        elements += count;
        codeBits += count * bits;
        if (enabled) {
            const double scales
                = choice->granularity == Granularity::Group ? static_cast<double>(site.groups) : 1.0;
            scaleBits += scales * kFloatBits * (choice->symmetry == Symmetry::Asymmetric ? 2.0 : 1.0);
        }
    }
    PlanFigures figures;
    figures.weightBits = elements > 0.0 ? codeBits / elements : kFloatBits;
    figures.activationBits = activations > 0.0 ? activationBits / activations : kFloatBits;
    const double rest = static_cast<double>(model.graph->parameterCount()) - elements;
    const double bits = codeBits + scaleBits + rest * kFloatBits;
    figures.bytes = static_cast<std::int64_t>((bits + kBitsPerByte - 1.0) / kBitsPerByte);
    return figures;
}

} // namespace qs
