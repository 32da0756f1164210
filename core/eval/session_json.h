#pragma once

#include "core/eval/session_file.h"
#include "core/io/json_reader.h"

#include <nlohmann/json_fwd.hpp>

namespace qs {

/// The session without its calibrations and its forms' constants as a JSON object: the document of a session
/// file.
[[nodiscard]] nlohmann::json sessionAsJson(const SessionFile& session);
/// Inverse. Throws Error(CorruptFile) naming the path inside the document.
[[nodiscard]] SessionFile sessionFrom(const JsonReader& reader);

} // namespace qs
