#pragma once

#include "core/text/unicode.h"

#include <string>
#include <string_view>
#include <vector>

namespace qs {

/// Every byte of `text` as one printable character, as GPT-2's vocabulary is written: those that are
/// printable already stand for themselves, the others in order for U+0100, U+0101, …
[[nodiscard]] std::string byteLevelText(std::string_view text);

/// The words GPT-2's pattern finds: contractions, letters, numbers and other characters, each with one space
/// in front of it, and blanks. They cover the text without gaps.
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
[[nodiscard]] std::vector<Pattern::Match> byteLevelWords(std::string_view text);

} // namespace qs
