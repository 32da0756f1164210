#pragma once

#include "core/models/model.h"

#include <optional>
#include <string>

namespace qs {

/// Preprocessing as one line of JSON, "" for none.
[[nodiscard]] std::string preprocessingToJson(const std::optional<Preprocessing>& preprocessing);
/// Throws Error(CorruptFile) on anything out of range: sizes 1..65536, finite means, standard deviations > 0.
[[nodiscard]] std::optional<Preprocessing> preprocessingFromJson(const std::string& text);

} // namespace qs
