#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace qs {

/// Text in this folder is UTF-8 in std::string; everything but requireUtf8() expects it to be well-formed.
/// Throws Error(CorruptFile) naming `subject` and the offset of the first byte that is not.
void requireUtf8(std::string_view text, const std::string& subject);

/// Code point that starts at `offset`, which moves behind it.
[[nodiscard]] char32_t nextCodePoint(std::string_view text, std::size_t& offset);
/// Code point that ends in front of `offset`, which moves to its start.
[[nodiscard]] char32_t previousCodePoint(std::string_view text, std::size_t& offset);
void appendCodePoint(std::string& text, char32_t codePoint);
/// Bytes of the code point that starts with this byte: 1 to 4.
[[nodiscard]] std::size_t codePointLength(char firstByte);

enum class NormalForm { C, D, KC, KD };
/// Normalisation of the Unicode standard (UAX #15).
[[nodiscard]] std::string normalized(std::string_view text, NormalForm form);
/// Lower case code point by code point, without regard to language or context.
[[nodiscard]] std::string lowered(std::string_view text);

[[nodiscard]] bool isWhitespace(char32_t codePoint); ///< property White_Space
[[nodiscard]] bool isLetter(char32_t codePoint); ///< categories L*
[[nodiscard]] bool isNumber(char32_t codePoint); ///< categories N*
[[nodiscard]] bool isMark(char32_t codePoint); ///< categories M*
[[nodiscard]] bool isNonSpacingMark(char32_t codePoint); ///< category Mn
[[nodiscard]] bool isPunctuation(char32_t codePoint); ///< categories P* and ASCII punctuation such as '$'
[[nodiscard]] bool isControl(char32_t codePoint); ///< categories Cc, Cf, Co, Cs
[[nodiscard]] bool isWordPart(char32_t codePoint); ///< \w of regular expressions (UTS #18, annex C)

/// A regular expression over Unicode text. Matching takes bounded time and stack.
class Pattern
{
public:
    /// ICU's syntax, with \s and \S meaning the property White_Space. `subject` names the pattern's origin.
    /// Throws Error(Unsupported) for a pattern that cannot be compiled.
    Pattern(std::string expression, std::string subject);

    struct Match
    {
        std::size_t begin = 0; ///< bytes
        std::size_t end = 0;
    };
    /// All matches from left to right; empty ones are left out. Throws Error(Unsupported) when matching takes
    /// too long.
    [[nodiscard]] std::vector<Match> matches(std::string_view text) const;

private:
    std::string m_expression;
    std::string m_subject;
};

} // namespace qs
