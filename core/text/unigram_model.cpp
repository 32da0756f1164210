#include "core/text/unigram_model.h"

#include "core/base/error.h"
#include "core/text/unicode.h"

#include <algorithm>

namespace qs {

UnigramModel::UnigramModel(const JsonReader& json)
{
    constexpr double kUnknownPenalty = 10.0;
    Vocabulary vocabulary;
    double worst = 0.0;
    const JsonReader pieces = json.member("vocab");
    for (const JsonReader& entry : pieces.elements()) {
        const std::vector<JsonReader> parts = entry.elements();
        if (parts.size() != 2) {
            entry.fail("is not a piece and its score");
        }
        const std::string piece = parts[0].string();
        const auto id = static_cast<int>(m_scores.size());
        m_scores.push_back(parts[1].number());
        worst = id == 0 ? m_scores.back() : std::min(worst, m_scores.back());
        m_pieces.insert(piece, id);
        vocabulary[piece] = id;
    }
    if (m_scores.empty()) {
        pieces.fail("is empty");
    }
    m_unknownScore = worst - kUnknownPenalty;
    for (const JsonReader& unknown : json.optionalMember("unk_id")) {
        m_unknown = static_cast<std::int32_t>(unknown.integer(0, largestId()));
    }
    for (const JsonReader& fallback : json.optionalMember("byte_fallback")) {
        if (fallback.boolean()) {
            m_byteTokens = byteTokens(vocabulary);
        }
    }
}

std::vector<UnigramModel::Step> UnigramModel::bestSteps(std::string_view word) const
{
    std::vector<Step> steps(word.size() + 1); // by the place where the piece ends
    steps.front().reached = true;
    const auto offer = [&](std::size_t begin, std::size_t end, std::int32_t token, double score) {
        const double total = steps[begin].score + score;
        if (!steps[end].reached || total > steps[end].score) {
            steps[end] = {total, begin, token, true};
        }
    };
    for (std::size_t begin = 0; begin < word.size(); begin += codePointLength(word[begin])) {
        const std::size_t character = codePointLength(word[begin]);
        bool hasCharacter = false;
        m_pieces.forEachPrefix(word.substr(begin), [&](std::size_t length, int token) {
            hasCharacter = hasCharacter || length == character;
            offer(begin, begin + length, token, m_scores[static_cast<std::size_t>(token)]);
        });
        if (!hasCharacter) {
            offer(begin, begin + character, -1, m_unknownScore);
        }
    }
    return steps;
}

void UnigramModel::encode(std::string_view word, std::vector<std::int32_t>& ids) const
{
    const std::vector<Step> steps = bestSteps(word);
    std::vector<const Step*> path;
    std::vector<std::size_t> ends;
    for (std::size_t end = word.size(); end > 0; end = steps[end].begin) {
        path.push_back(&steps[end]);
        ends.push_back(end);
    }
    bool unknownBefore = false;
    for (std::size_t i = path.size(); i-- > 0;) {
        const Step& step = *path[i];
        const bool unknown = step.token < 0 || (m_unknown && step.token == *m_unknown);
        if (!unknown) {
            ids.push_back(step.token);
        } else if (!m_byteTokens.empty()) {
            for (const char byte : word.substr(step.begin, ends[i] - step.begin)) {
                ids.push_back(m_byteTokens[static_cast<unsigned char>(byte)]);
            }
        } else if (!m_unknown) {
            throw Error(ErrorCode::Unsupported,
                "its model has no unknown token, and the text holds '"
                    + plainSentence(word.substr(step.begin, ends[i] - step.begin)) + "'");
        } else if (!unknownBefore) {
            ids.push_back(*m_unknown);
        }
        unknownBefore = unknown;
    }
}

} // namespace qs
