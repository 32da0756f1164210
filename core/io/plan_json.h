#pragma once

#include "core/io/json_reader.h"
#include "core/quant/plan.h"
#include "core/quant/resolve.h"

#include <nlohmann/json_fwd.hpp>

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

/// The same as parts of a larger document.
[[nodiscard]] nlohmann::json planAsJson(const Plan& plan);
[[nodiscard]] nlohmann::json quantizersAsJson(const ResolvedPlan& quantizers);
[[nodiscard]] Plan planFrom(const JsonReader& reader);
[[nodiscard]] ResolvedPlan quantizersFrom(const JsonReader& reader);
/// One choice.
[[nodiscard]] nlohmann::json choiceAsJson(const SiteChoice& choice);
[[nodiscard]] SiteChoice choiceFrom(const JsonReader& reader);
/// One quantizer.
[[nodiscard]] QuantParams paramsFrom(const JsonReader& reader);

} // namespace qs
