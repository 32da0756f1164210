#include "core/text/byte_level.h"

#include <array>

namespace qs {

namespace {

std::array<char32_t, 256> byteCharacters()
{
    std::array<char32_t, 256> table {};
    char32_t next = 0x100;
    for (std::size_t byte = 0; byte < table.size(); ++byte) {
        const bool printable
            = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
        table[byte] = printable ? static_cast<char32_t>(byte) : next++;
    }
    return table;
}

/// Bytes of the contraction at the start of the text, 0 for none.
std::size_t contractionLength(std::string_view text)
{
    for (const std::string_view suffix : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
        if (text.starts_with(suffix)) {
            return suffix.size();
        }
    }
    return 0;
}

enum class Kind { Letter, Number, Blank, Other };

Kind kindOf(char32_t c)
{
    return isLetter(c)    ? Kind::Letter
        : isNumber(c)     ? Kind::Number
        : isWhitespace(c) ? Kind::Blank
                          : Kind::Other;
}

/// End of the word that starts at `begin`.
std::size_t wordEnd(std::string_view text, std::size_t begin)
{
    if (const std::size_t length = contractionLength(text.substr(begin)); length > 0) {
        return begin + length;
    }
    std::size_t end = begin;
    Kind kind = kindOf(nextCodePoint(text, end));
    if (text[begin] == ' ' && end < text.size()) { // a space belongs to the word behind it
        std::size_t behind = end;
        const Kind next = kindOf(nextCodePoint(text, behind));
        if (next != Kind::Blank) {
            kind = next;
            end = behind;
        }
    }
    std::size_t last = begin; // start of the last code point of a run of blanks
    for (std::size_t next = end; next < text.size(); end = next) {
        const std::size_t start = next;
        if (kindOf(nextCodePoint(text, next)) != kind) {
            // The last of several blanks in front of a word is left to that word, or stands alone.
            return kind == Kind::Blank && last > begin ? last : start;
        }
        last = start;
    }
    return text.size();
}

} // namespace

std::string byteLevelText(std::string_view text)
{
    static const std::array<char32_t, 256> kCharacters = byteCharacters();
    std::string result;
    result.reserve(text.size() * 2);
    for (const char byte : text) {
        appendCodePoint(result, kCharacters[static_cast<unsigned char>(byte)]);
    }
    return result;
}

std::vector<Pattern::Match> byteLevelWords(std::string_view text)
{
    std::vector<Pattern::Match> words;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = wordEnd(text, begin);
        words.push_back({begin, end});
        begin = end;
    }
    return words;
}

} // namespace qs
