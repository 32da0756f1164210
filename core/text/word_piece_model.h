#pragma once

#include "core/text/token_model.h"

namespace qs {

/// WordPiece as BERT uses it (arXiv 1810.04805): the longest token a word starts with, then the longest the
/// rest starts with, written with a prefix, and so on; a word that leaves something over is one unknown
/// token.
class WordPieceModel final : public TokenModel
{
public:
    explicit WordPieceModel(const JsonReader& json);
    /// BERT's own: prefix "##", unknown "[UNK]" (which must be there), words of at most 100 characters.
    explicit WordPieceModel(Vocabulary vocabulary);

    void encode(std::string_view word, std::vector<std::int32_t>& ids) const override;
    [[nodiscard]] int largestId() const override { return m_largestId; }

private:
    void measure();

    Vocabulary m_vocabulary;
    std::string m_prefix = "##";
    std::int32_t m_unknown = 0;
    std::int64_t m_longestWord = 100; ///< characters; longer ones are unknown
    std::size_t m_longestToken = 0; ///< bytes
    int m_largestId = -1;
};

} // namespace qs
