#pragma once

#include "core/io/json_reader.h"
#include "core/quant/activation_shift.h"
#include "core/quant/reparameterization.h"

#include <nlohmann/json_fwd.hpp>

#include <vector>

namespace qs {

/// Reparameterizations as a list of {"site", "channels", "tensor"}; the quantizers as in a recipe.
[[nodiscard]] nlohmann::json reparameterizationsAsJson(const std::vector<Reparameterization>& list);
/// Inverse. Throws Error(CorruptFile) naming the path inside the document.
[[nodiscard]] std::vector<Reparameterization> reparameterizationsFrom(const JsonReader& reader);

/// Shifts as a list of {"site", "amount"}, and back.
[[nodiscard]] nlohmann::json shiftsAsJson(const std::vector<ActivationShift>& list);
[[nodiscard]] std::vector<ActivationShift> shiftsFrom(const JsonReader& reader);

} // namespace qs
