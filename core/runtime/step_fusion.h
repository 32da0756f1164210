#pragma once

#include "core/runtime/step.h"

#include <memory>
#include <span>
#include <vector>

namespace qs {

/// Joins neighbouring steps into fused ones where no other step reads what lies between them: attention, and
/// chains of row-wise operators. Slots in `kept` stay visible. Fused steps give the same bits as the steps
/// they replace.
[[nodiscard]] std::vector<std::unique_ptr<Step>> fuseSteps(
    std::vector<std::unique_ptr<Step>> steps, std::span<const Slot> kept);

} // namespace qs
