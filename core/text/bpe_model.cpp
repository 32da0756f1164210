#include "core/text/bpe_model.h"

#include "core/base/error.h"
#include "core/text/unicode.h"

#include <queue>

#include <algorithm>
#include <functional>

namespace qs {

namespace {

std::string optionalText(const JsonReader& json, const char* key)
{
    const std::vector<JsonReader> found = json.optionalMember(key);
    return found.empty() ? std::string() : found.front().string();
}

bool optionalFlag(const JsonReader& json, const char* key)
{
    const std::vector<JsonReader> found = json.optionalMember(key);
    return !found.empty() && found.front().boolean();
}

/// "a b" or ["a", "b"].
std::pair<std::string, std::string> readMerge(const JsonReader& json, bool asList)
{
    if (asList) {
        const std::vector<JsonReader> parts = json.elements();
        if (parts.size() != 2) {
            json.fail("has " + std::to_string(parts.size()) + " parts, not two");
        }
        return {parts[0].string(), parts[1].string()};
    }
    const std::string text = json.string();
    const std::size_t blank = text.find(' ');
    if (blank == std::string::npos || text.find(' ', blank + 1) != std::string::npos) {
        json.fail("is not two tokens with a space between them");
    }
    return {text.substr(0, blank), text.substr(blank + 1)};
}

/// A token of a word while pairs are merged; those that went into their left neighbour have no length.
struct Symbol
{
    std::int32_t token = 0;
    std::int32_t previous = -1;
    std::int32_t next = -1;
    bool alive = true;
};

/// A pair that could be merged; stale when one of its tokens has changed since.
struct Candidate
{
    std::int32_t rank = 0;
    std::int32_t left = 0; ///< index of its left symbol
    std::int32_t leftToken = 0;
    std::int32_t rightToken = 0;
    std::int32_t merged = 0;

    [[nodiscard]] bool operator>(const Candidate& other) const
    {
        return rank != other.rank ? rank > other.rank : left > other.left;
    }
};

} // namespace

BpeModel::BpeModel(const JsonReader& json)
    : m_vocabulary(readVocabulary(json.member("vocab")))
{
    for (const JsonReader& dropout : json.optionalMember("dropout")) {
        if (dropout.number() != 0.0) {
            throw Error(ErrorCode::Unsupported, "its model drops merges at random ('dropout')");
        }
    }
    m_prefix = optionalText(json, "continuing_subword_prefix");
    m_suffix = optionalText(json, "end_of_word_suffix");
    m_fuseUnknown = optionalFlag(json, "fuse_unk");
    m_wholeWordsFirst = optionalFlag(json, "ignore_merges");
    for (const JsonReader& unknown : json.optionalMember("unk_token")) {
        const auto found = m_vocabulary.find(unknown.string());
        if (found == m_vocabulary.end()) {
            unknown.fail("is not in the vocabulary");
        }
        m_unknown = found->second;
    }
    if (optionalFlag(json, "byte_fallback")) {
        m_byteTokens = byteTokens(m_vocabulary);
    }
    const std::vector<JsonReader> stated = json.member("merges").elements();
    std::vector<std::pair<std::string, std::string>> merges;
    merges.reserve(stated.size());
    const bool asLists = !stated.empty() && stated.front().isList();
    for (const JsonReader& merge : stated) {
        merges.push_back(readMerge(merge, asLists));
    }
    addMerges(merges);
}

BpeModel::BpeModel(Vocabulary vocabulary, const std::vector<std::pair<std::string, std::string>>& merges)
    : m_vocabulary(std::move(vocabulary))
{
    addMerges(merges);
}

void BpeModel::addMerges(const std::vector<std::pair<std::string, std::string>>& merges)
{
    for (const auto& [token, id] : m_vocabulary) {
        m_largestId = std::max(m_largestId, id);
    }
    for (std::size_t rank = 0; rank < merges.size(); ++rank) {
        const auto& [left, right] = merges[rank];
        const bool prefixed = !m_prefix.empty() && right.starts_with(m_prefix);
        const std::string merged = left + (prefixed ? right.substr(m_prefix.size()) : right);
        const auto a = m_vocabulary.find(left);
        const auto b = m_vocabulary.find(right);
        const auto c = m_vocabulary.find(merged);
        if (a == m_vocabulary.end() || b == m_vocabulary.end() || c == m_vocabulary.end()) {
            throw Error(ErrorCode::CorruptFile,
                "its merge " + std::to_string(rank) + " ('" + plainSentence(left) + "' and '"
                    + plainSentence(right) + "') is of tokens that are not in the vocabulary");
        }
        const std::uint64_t pair
            = (static_cast<std::uint64_t>(a->second) << 32U) | static_cast<std::uint64_t>(b->second);
        m_merges[pair] = {static_cast<std::int32_t>(rank), c->second};
    }
}

const BpeModel::Merge* BpeModel::mergeOf(std::int32_t left, std::int32_t right) const
{
    const auto found
        = m_merges.find((static_cast<std::uint64_t>(left) << 32U) | static_cast<std::uint64_t>(right));
    return found == m_merges.end() ? nullptr : &found->second;
}

std::vector<std::int32_t> BpeModel::firstTokens(std::string_view word) const
{
    std::vector<std::int32_t> tokens;
    bool unknownBefore = false;
    for (std::size_t begin = 0; begin < word.size();) {
        const std::size_t end = begin + codePointLength(word[begin]);
        std::string symbol = begin > 0 ? m_prefix : std::string();
        symbol.append(word, begin, end - begin);
        if (end == word.size()) {
            symbol += m_suffix;
        }
        const auto found = m_vocabulary.find(symbol);
        bool unknown = false;
        if (found != m_vocabulary.end()) {
            tokens.push_back(found->second);
        } else if (!m_byteTokens.empty()) {
            for (const char byte : symbol) {
                tokens.push_back(m_byteTokens[static_cast<unsigned char>(byte)]);
            }
        } else if (m_unknown) {
            unknown = true;
            if (!unknownBefore || !m_fuseUnknown) {
                tokens.push_back(*m_unknown);
            }
        }
        unknownBefore = unknown;
        begin = end;
    }
    return tokens;
}

void BpeModel::merge(std::vector<std::int32_t>& tokens) const
{
    std::vector<Symbol> symbols(tokens.size());
    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
    const auto consider = [&](std::int32_t left) {
        const Symbol& a = symbols[static_cast<std::size_t>(left)];
        if (a.next >= 0) {
            const std::int32_t right = symbols[static_cast<std::size_t>(a.next)].token;
            if (const Merge* found = mergeOf(a.token, right)) {
                candidates.push({found->rank, left, a.token, right, found->token});
            }
        }
    };
    const auto count = static_cast<std::int32_t>(tokens.size());
    for (std::int32_t i = 0; i < count; ++i) {
        symbols[static_cast<std::size_t>(i)]
            = {tokens[static_cast<std::size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1, true};
    }
    for (std::int32_t i = 0; i + 1 < count; ++i) {
        consider(i);
    }
    while (!candidates.empty()) {
        const Candidate best = candidates.top();
        candidates.pop();
        Symbol& left = symbols[static_cast<std::size_t>(best.left)];
        if (!left.alive || left.token != best.leftToken || left.next < 0) {
            continue;
        }
        Symbol& right = symbols[static_cast<std::size_t>(left.next)];
        if (right.token != best.rightToken) {
            continue;
        }
        left.token = best.merged;
        left.next = right.next;
        right.alive = false;
        if (left.next >= 0) {
            symbols[static_cast<std::size_t>(left.next)].previous = best.left;
        }
        if (left.previous >= 0) {
            consider(left.previous);
        }
        consider(best.left);
    }
    tokens.clear();
    for (const Symbol& symbol : symbols) {
        if (symbol.alive) {
            tokens.push_back(symbol.token);
        }
    }
}

void BpeModel::encode(std::string_view word, std::vector<std::int32_t>& ids) const
{
    if (m_wholeWordsFirst) {
        if (const auto found = m_vocabulary.find(std::string(word)); found != m_vocabulary.end()) {
            ids.push_back(found->second);
            return;
        }
    }
    std::vector<std::int32_t> tokens = firstTokens(word);
    merge(tokens);
    ids.insert(ids.end(), tokens.begin(), tokens.end());
}

} // namespace qs
