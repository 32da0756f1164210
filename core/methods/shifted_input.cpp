#include "core/methods/shifted_input.h"

#include <algorithm>

namespace qs {

namespace {

/// The input with the shifts of those sites whose kind is logarithmic.
ShiftedInput withShifts(const MethodInput& input, const std::vector<ActivationShift>& shifts, SiteKinds kinds)
{
    ShiftedInput result {input, {}, std::move(kinds)};
    std::ranges::copy_if(shifts, std::back_inserter(result.shifts), [&](const ActivationShift& shift) {
        return shift.amount > 0.0 && result.kinds.at(shift.site) != QuantizerKind::Uniform;
    });
    if (!result.shifts.empty()) {
        result.input.model = shifted(*input.model, result.shifts);
    }
    return result;
}

} // namespace

ShiftedInput shiftedInput(const MethodInput& input, const MethodOptions& options, const TaskContext& context)
{
    constexpr QuantizerKind kUsual = QuantizerKind::LogSqrt2;
    SiteKinds kinds;
    std::set<std::string> open;
    const auto add = [&](const std::string& site, const std::optional<QuantizerKind>& given) {
        kinds[site] = given.value_or(kUsual);
        if (!given) {
            open.insert(site);
        }
    };
    if (options.has(Ingredient::LogSqrt2Softmax)) {
        for (const Site& site : input.model->sites) {
            if (site.role == Role::Softmax && site.kind == SiteKind::Activation) {
                add(site.name, options.softmaxKind);
            }
        }
    }
    const std::vector<ActivationShift> shifts = options.has(Ingredient::LogGelu)
        ? findActivationShifts(*input.model)
        : std::vector<ActivationShift> {};
    for (const ActivationShift& shift : shifts) {
        add(shift.site, options.geluKind);
    }
    const ShiftedInput all = withShifts(input, shifts, kinds);
    for (const auto& [site, kind] :
        kindsOfLeastLayerError(all.input, open, options.activationBits, context)) {
        kinds[site] = kind;
    }
    return kinds == all.kinds ? all : withShifts(input, shifts, std::move(kinds));
}

} // namespace qs
