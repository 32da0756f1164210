#pragma once

#include "core/io/safetensors_file.h"

#include <string_view>

namespace qs {

/// The JSON part of a safetensors file.
struct SafetensorsHeader
{
    std::vector<SafetensorsEntry> entries; ///< in file order; offsets not yet checked against the payload
    std::map<std::string, std::string> metadata;
};

/// Reads the header event by event, so that memory stays in proportion to the text whatever it says. Checks
/// the form of every entry and that shape x element size equals the byte range. `file` is for the sentence
/// only. Throws Error: CorruptFile, Unsupported.
[[nodiscard]] SafetensorsHeader parseSafetensorsHeader(
    std::string_view text, const std::filesystem::path& file);

} // namespace qs
