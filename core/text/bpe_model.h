#pragma once

#include "core/text/token_model.h"

#include <optional>

namespace qs {

/// Byte pair encoding (arXiv 1508.07909) with ranked merges: of all pairs of neighbouring tokens in a word
/// the one of lowest rank is merged, the leftmost of equals, until none is left. O(n log n) in the word's
/// length.
class BpeModel final : public TokenModel
{
public:
    /// Throws Error: CorruptFile, Unsupported (dropout).
    explicit BpeModel(const JsonReader& json);
    /// GPT-2's vocabulary and merges.
    BpeModel(Vocabulary vocabulary, const std::vector<std::pair<std::string, std::string>>& merges);

    void encode(std::string_view word, std::vector<std::int32_t>& ids) const override;
    [[nodiscard]] int largestId() const override { return m_largestId; }

private:
    struct Merge
    {
        std::int32_t rank = 0;
        std::int32_t token = 0; ///< what the pair becomes
    };

    void addMerges(const std::vector<std::pair<std::string, std::string>>& merges);
    [[nodiscard]] std::vector<std::int32_t> firstTokens(std::string_view word) const;
    void merge(std::vector<std::int32_t>& tokens) const;
    [[nodiscard]] const Merge* mergeOf(std::int32_t left, std::int32_t right) const;

    Vocabulary m_vocabulary;
    std::unordered_map<std::uint64_t, Merge> m_merges; ///< by (left, right)
    std::vector<std::int32_t> m_byteTokens; ///< for characters that are not in the vocabulary; may be empty
    std::optional<std::int32_t> m_unknown;
    bool m_fuseUnknown = false;
    bool m_wholeWordsFirst = false; ///< a word of the vocabulary is not taken apart
    std::string m_prefix; ///< of all characters of a word but the first
    std::string m_suffix; ///< of the last character of a word
    int m_largestId = -1;
};

} // namespace qs
