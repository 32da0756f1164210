#pragma once

#include "core/exporting/exporter.h"

#include <vector>

namespace qs {

/// Findings of the portable QDQ profile: errors name each site that int8 at opset 17 cannot hold; what
/// concerns many sites alike (zero points, fewer than 8 bits, tables) is one finding that counts them and
/// names the first.
[[nodiscard]] std::vector<LintFinding> lintOnnxQdq(const ExportInput& input);

} // namespace qs
