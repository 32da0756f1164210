#pragma once

#include "core/methods/method.h"
#include "core/quant/activation_shift.h"

#include <map>
#include <string>
#include <vector>

namespace qs {

/// What a method works on once the outputs of activation functions are shifted for its logarithmic
/// quantizers.
struct ShiftedInput
{
    MethodInput input; ///< of the shifted model
    std::vector<ActivationShift> shifts; ///< those that change the model
    std::map<std::string, QuantizerKind>
        kinds; ///< of the sites behind activation functions; empty: uniform ones
};

/// With MethodOptions::geluKind uniform or without LogGelu, the input as it is.
[[nodiscard]] ShiftedInput shiftedInput(const MethodInput& input, const MethodOptions& options);

} // namespace qs
