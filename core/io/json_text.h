#pragma once

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace qs {

/// A name that came from a file, fit for a sentence: in single quotes, at most 120 bytes, control characters
/// as '?'.
[[nodiscard]] std::string quotedName(std::string_view name);

/// Parses the text of a small JSON file (a configuration, not a tensor header). `file` is for the sentence
/// only. Throws Error(CorruptFile) for anything that is not one JSON value, for nesting beyond 64 levels and
/// for a key that appears twice in one object.
[[nodiscard]] nlohmann::json parseJson(std::string_view text, const std::filesystem::path& file);

/// Reads and parses a JSON file of at most 16 MiB. Throws Error: Io, CorruptFile.
[[nodiscard]] nlohmann::json readJsonFile(const std::filesystem::path& file);

} // namespace qs
