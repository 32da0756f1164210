#pragma once

#include "core/eval/sensitivity.h"
#include "core/io/json_reader.h"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <vector>

namespace qs {

/// One result as a JSON object: what `quantoscope-cli sensitivity --json` prints and sessions keep. An
/// infinite SQNR is null; what was not measured is left out.
[[nodiscard]] nlohmann::json sensitivityAsJson(const SiteSensitivity& result);
/// Inverse; also reads what earlier versions wrote. Throws Error(CorruptFile) naming the path inside the
/// document.
[[nodiscard]] SiteSensitivity sensitivityFrom(const JsonReader& reader);
/// What `quantoscope-cli sensitivity --json` printed into a file. Throws Error naming the file.
[[nodiscard]] std::vector<SiteSensitivity> readSensitivities(const std::filesystem::path& file);

} // namespace qs
