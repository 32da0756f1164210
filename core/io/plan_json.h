#pragma once

#include "core/quant/plan.h"
#include "core/quant/resolve.h"

#include <string>

namespace qs {

/// The plan as a JSON object: site name to its choice. Keys sorted, numbers shortest that read back the same.
[[nodiscard]] std::string planToJson(const Plan& plan);
/// Throws Error(CorruptFile) naming the site and key.
[[nodiscard]] Plan planFromJson(const std::string& text);
/// Resolved quantizers as a JSON object: site name to kind, bits, scales, zero points and bounds.
[[nodiscard]] std::string quantizersToJson(const ResolvedPlan& quantizers);
/// Throws Error(CorruptFile) naming the site and key; scales are finite and > 0, the three lists equally
/// long.
[[nodiscard]] ResolvedPlan quantizersFromJson(const std::string& text);

} // namespace qs
