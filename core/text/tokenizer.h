#pragma once

#include "core/text/added_tokens.h"
#include "core/text/post_processor.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/text_normalizer.h"
#include "core/text/token_model.h"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qs {

/// Turns text into the token ids a model was trained on: what a Hugging Face tokenizer.json describes.
/// Immutable, safe to use from several threads.
class Tokenizer
{
public:
    /// Reads tokenizer.json in a model's folder, or, where there is none, vocab.json with merges.txt (GPT-2)
    /// or vocab.txt (BERT; lower case unless tokenizer_config.json says otherwise). Null where there is none
    /// of them. Throws Error: Io, CorruptFile, Unsupported, naming the file and the component.
    [[nodiscard]] static std::shared_ptr<const Tokenizer> open(const std::filesystem::path& folder);

    /// From the text of a tokenizer.json; `file` is for sentences. Throws as open() does, without naming the
    /// file.
    [[nodiscard]] static std::shared_ptr<const Tokenizer> parse(
        std::string_view text, const std::filesystem::path& file);

    /// Token ids of a text without the special tokens around it. Throws Error(CorruptFile) for text that is
    /// not UTF-8, naming `subject` and the offset; Error(Unsupported) when a pattern of the tokenizer takes
    /// too long.
    [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text, const std::string& subject) const;

    /// Special tokens a sequence stands between.
    [[nodiscard]] const SequenceFrame& frame() const { return m_frame; }
    /// Largest token number there is.
    [[nodiscard]] int largestId() const { return m_largestId; }
    /// SHA-256 of the files it was read from.
    [[nodiscard]] const std::string& hash() const { return m_hash; }

private:
    Tokenizer() = default;
    [[nodiscard]] static std::shared_ptr<Tokenizer> fromMerges(const std::filesystem::path& folder);
    [[nodiscard]] static std::shared_ptr<Tokenizer> fromWordList(const std::filesystem::path& folder);
    void finish();

    std::unique_ptr<const TextNormalizer> m_normalizer; ///< null: none
    std::unique_ptr<const PreTokenizer> m_preTokenizer; ///< null: none
    std::unique_ptr<const TokenModel> m_model;
    AddedTokens m_added;
    SequenceFrame m_frame;
    int m_largestId = -1;
    std::string m_hash;
};

} // namespace qs
