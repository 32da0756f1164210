#pragma once

#include "core/text/byte_trie.h"
#include "core/text/token_model.h"

#include <optional>

namespace qs {

/// A unigram language model over pieces (arXiv 1804.10959): of all ways to cut a word into pieces the one
/// with the largest sum of scores, found by Viterbi's algorithm. A character that no piece begins with scores
/// ten less than the worst piece; neighbours of that kind are one unknown token.
class UnigramModel final : public TokenModel
{
public:
    explicit UnigramModel(const JsonReader& json);

    void encode(std::string_view word, std::vector<std::int32_t>& ids) const override;
    [[nodiscard]] int largestId() const override { return static_cast<int>(m_scores.size()) - 1; }

private:
    /// A piece that ends at some place of the word.
    struct Step
    {
        double score = 0.0; ///< of the best way up to here
        std::size_t begin = 0;
        std::int32_t token = -1; ///< -1: unknown
        bool reached = false;
    };

    [[nodiscard]] std::vector<Step> bestSteps(std::string_view word) const;

    ByteTrie m_pieces;
    std::vector<double> m_scores; ///< logarithms of probabilities, by token
    std::vector<std::int32_t> m_byteTokens; ///< instead of unknown tokens; may be empty
    std::optional<std::int32_t> m_unknown;
    double m_unknownScore = 0.0;
};

} // namespace qs
