#pragma once

#include "core/methods/quantizer_kinds.h"
#include "core/quant/activation_shift.h"

#include <vector>

namespace qs {

/// What a method works on once it is known which attention probabilities and which outputs of activation
/// functions get logarithmic quantizers, and the latter are shifted for them.
struct ShiftedInput
{
    MethodInput input; ///< of the shifted model
    std::vector<ActivationShift> shifts; ///< those that change the model
    SiteKinds kinds; ///< of both kinds of sites, as far as the method has the ingredient
};

/// Kinds that the options name are taken; where they name none, kindsOfLeastLayerError()
/// decides. Sites that become uniform are not shifted.
[[nodiscard]] ShiftedInput shiftedInput(
    const MethodInput& input, const MethodOptions& options, const TaskContext& context = {});

} // namespace qs
