#include "core/text/word_piece_model.h"

#include "core/base/error.h"
#include "core/text/unicode.h"

#include <algorithm>

namespace qs {

WordPieceModel::WordPieceModel(const JsonReader& json)
    : m_vocabulary(readVocabulary(json.member("vocab")))
    , m_prefix(json.member("continuing_subword_prefix").string())
{
    constexpr std::int64_t kLongest = 10000;
    m_longestWord = json.member("max_input_chars_per_word").integer(0, kLongest);
    const JsonReader unknown = json.member("unk_token");
    const auto found = m_vocabulary.find(unknown.string());
    if (found == m_vocabulary.end()) {
        unknown.fail("is not in the vocabulary");
    }
    m_unknown = found->second;
    measure();
}

WordPieceModel::WordPieceModel(Vocabulary vocabulary)
    : m_vocabulary(std::move(vocabulary))
{
    const auto found = m_vocabulary.find("[UNK]");
    if (found == m_vocabulary.end()) {
        throw Error(ErrorCode::CorruptFile, "its vocabulary has no '[UNK]'");
    }
    m_unknown = found->second;
    measure();
}

void WordPieceModel::measure()
{
    for (const auto& [token, id] : m_vocabulary) {
        m_longestToken = std::max(m_longestToken, token.size());
        m_largestId = std::max(m_largestId, id);
    }
}

void WordPieceModel::encode(std::string_view word, std::vector<std::int32_t>& ids) const
{
    const std::size_t before = ids.size();
    const auto characters = std::ranges::count_if(
        word, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
    if (characters > m_longestWord) {
        ids.push_back(m_unknown);
        return;
    }
    for (std::size_t begin = 0; begin < word.size();) {
        const std::string prefix = begin > 0 ? m_prefix : std::string();
        std::size_t end = std::min(word.size(), begin + m_longestToken);
        const std::size_t start = begin;
        for (; end > begin; --end) {
            const bool whole = end == word.size() || (static_cast<unsigned char>(word[end]) & 0xC0U) != 0x80U;
            if (!whole) {
                continue; // in the middle of a character
            }
            const auto found = m_vocabulary.find(prefix + std::string(word.substr(begin, end - begin)));
            if (found != m_vocabulary.end()) {
                ids.push_back(found->second);
                begin = end;
                break;
            }
        }
        if (begin == start) {
            ids.resize(before);
            ids.push_back(m_unknown);
            return;
        }
    }
}

} // namespace qs
