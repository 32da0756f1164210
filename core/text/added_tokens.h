#pragma once

#include "core/io/json_reader.h"
#include "core/text/byte_trie.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qs {

/// A part of a text: an added token, or what lies between them.
struct TokenOrText
{
    std::int32_t token = -1; ///< -1: text
    std::size_t begin = 0; ///< bytes
    std::size_t end = 0;
};

/// Tokens that are found in a text before anything else is done to it, such as "<|endoftext|>".
class AddedTokens
{
public:
    enum class Stage {
        BeforeNormalizer, ///< those that are looked for in the text as it is
        AfterNormalizer
    };

    AddedTokens() = default;
    /// Reads the "added_tokens" of a tokenizer.json. Throws Error(CorruptFile) naming the value.
    explicit AddedTokens(const JsonReader& json);

    /// Cuts a text at the tokens of a stage: the leftmost and longest first.
    [[nodiscard]] std::vector<TokenOrText> split(std::string_view text, Stage stage) const;
    [[nodiscard]] int largestId() const { return m_largestId; }

private:
    struct Token
    {
        std::int32_t id = 0;
        bool singleWord = false; ///< not inside a longer word
        bool takesLeft = false; ///< blanks in front of it go with it
        bool takesRight = false;
    };

    std::vector<Token> m_tokens;
    ByteTrie m_raw; ///< numbers are indices of m_tokens
    ByteTrie m_normalized;
    int m_largestId = -1;
};

} // namespace qs
