#include "core/text/added_tokens.h"

#include "core/text/unicode.h"

#include <algorithm>

namespace qs {

namespace {

bool startsWithWord(std::string_view text)
{
    std::size_t i = 0;
    return !text.empty() && isWordPart(nextCodePoint(text, i));
}

bool endsWithWord(std::string_view text)
{
    std::size_t i = text.size();
    return !text.empty() && isWordPart(previousCodePoint(text, i));
}

} // namespace

AddedTokens::AddedTokens(const JsonReader& json)
{
    constexpr std::int64_t kMostTokens = std::int64_t {1} << 28U;
    for (const JsonReader& entry : json.elements()) {
        const Token token {.id = static_cast<std::int32_t>(entry.member("id").integer(0, kMostTokens)),
            .singleWord = entry.member("single_word").boolean(),
            .takesLeft = entry.member("lstrip").boolean(),
            .takesRight = entry.member("rstrip").boolean()};
        ByteTrie& trie = entry.member("normalized").boolean() ? m_normalized : m_raw;
        trie.insert(entry.member("content").string(), static_cast<int>(m_tokens.size()));
        m_tokens.push_back(token);
        m_largestId = std::max(m_largestId, token.id);
    }
}

std::vector<TokenOrText> AddedTokens::split(std::string_view text, Stage stage) const
{
    const ByteTrie& trie = stage == Stage::BeforeNormalizer ? m_raw : m_normalized;
    std::vector<TokenOrText> parts;
    std::size_t done = 0;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t length = 0;
        int found = -1;
        trie.forEachPrefix(text.substr(at), [&](std::size_t matched, int index) {
            length = matched; // the longest comes last
            found = index;
        });
        if (found < 0) {
            ++at;
            continue;
        }
        const Token& token = m_tokens[static_cast<std::size_t>(found)];
        std::size_t begin = at;
        std::size_t end = at + length;
        at = end;
        if (token.singleWord && (endsWithWord(text.substr(0, begin)) || startsWithWord(text.substr(end)))) {
            continue;
        }
        for (std::size_t next = begin; token.takesLeft && next > done;) {
            begin = isWhitespace(previousCodePoint(text, next)) ? next : begin;
            if (begin != next) {
                break;
            }
        }
        for (std::size_t next = end; token.takesRight && next < text.size();) {
            end = isWhitespace(nextCodePoint(text, next)) ? next : end;
            if (end != next) {
                break;
            }
        }
        if (begin > done) {
            parts.push_back({-1, done, begin});
        }
        parts.push_back({token.id, begin, end});
        done = end;
        at = std::max(at, end);
    }
    if (done < text.size()) {
        parts.push_back({-1, done, text.size()});
    }
    return parts;
}

} // namespace qs
