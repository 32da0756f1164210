#pragma once

#include "core/models/architecture.h"

namespace qs {

/// Input "pixel_values" [-1, channels, height, width]; output "logits" [-1, classes], or "last_hidden_state"
/// and "pooler_output". Tokens are brought into (shifted) windows and back, and patches merged, by one Gather
/// each: every attention sees [images x windows, heads, T, d], its scores plus the relative position bias
/// and, in shifted windows, -100 between parts of the image that do not touch.
[[nodiscard]] Network makeSwin(const ModelFolder& folder);

} // namespace qs
