#pragma once

#include "core/graph/site.h"
#include "core/quant/quantizer.h"
#include "widgets/common/result_state.h"

#include <QString>

namespace qs {

/// Words of the user interface, translated; for files and JSON see nameOf() in core.
[[nodiscard]] QString displayName(Role role);
[[nodiscard]] QString displayName(SiteKind kind);
[[nodiscard]] QString displayName(QuantizerKind kind);
/// Ratio of neighbouring levels of a logarithmic quantizer: "2", "√2", or what AdaLog found,
/// "1.401 = 2^(18/37)"; of several scales the smallest and the largest. Empty for a uniform one.
[[nodiscard]] QString baseText(const QuantParams& params);
[[nodiscard]] QString displayName(Symmetry symmetry);
/// "per tensor", "per channel", "per head".
[[nodiscard]] QString displayName(Granularity granularity, GroupAxis axis);
[[nodiscard]] QString displayName(BoundMethod method);
[[nodiscard]] QString displayName(ResultState state);
/// "channel" or "head", for "channel 17".
[[nodiscard]] QString displayName(GroupAxis axis);

} // namespace qs
