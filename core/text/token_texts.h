#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace qs {

/// What token ids look like as text, for people to read: the way back from a vocabulary, as it is written.
/// How, its strings tell themselves: "Ġ" is a blank where bytes stand for themselves as GPT-2 writes them,
/// "▁" a blank in SentencePiece's manner, "##" continues a word of WordPiece; words of any other vocabulary
/// stand apart.
class TokenTexts
{
public:
    /// Reads the vocabulary of the tokenizer in a model's folder (tokenizer.json, vocab.json or vocab.txt).
    /// Null where there is none. Throws Error: Io, CorruptFile.
    [[nodiscard]] static std::shared_ptr<const TokenTexts> open(const std::filesystem::path& folder);

    /// UTF-8, but for characters that the ids cut in two. Ids that the vocabulary lacks are "<id>".
    [[nodiscard]] std::string text(std::span<const std::int32_t> ids) const;

private:
    enum class Manner { Bytes, Blanks, Continuations, Words };

    explicit TokenTexts(std::vector<std::string> strings);
    [[nodiscard]] std::string shown(const std::string& string) const;

    std::vector<std::string> m_strings; ///< by id; empty where there is no such token
    Manner m_manner = Manner::Words;
    std::vector<std::string> m_bytes; ///< how each byte is written
};

} // namespace qs
