#include "core/methods/shifted_input.h"

namespace qs {

ShiftedInput shiftedInput(const MethodInput& input, const MethodOptions& options)
{
    ShiftedInput result {input, {}, {}};
    if (options.geluKind == QuantizerKind::Uniform || !options.has(Ingredient::LogGelu)) {
        return result;
    }
    for (ActivationShift& shift : findActivationShifts(*input.model)) {
        result.kinds[shift.site] = options.geluKind;
        if (shift.amount > 0.0) {
            result.shifts.push_back(std::move(shift));
        }
    }
    if (!result.shifts.empty()) {
        result.input.model = shifted(*input.model, result.shifts);
    }
    return result;
}

} // namespace qs
