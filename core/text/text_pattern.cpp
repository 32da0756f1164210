#include "core/text/text_pattern.h"

namespace qs {

TextPattern TextPattern::read(const JsonReader& json)
{
    TextPattern result;
    for (const JsonReader& text : json.optionalMember("String")) {
        result.m_string = text.string();
        return result;
    }
    result.m_pattern.emplace(json.member("Regex").string(), "its tokenizer");
    return result;
}

std::vector<Pattern::Match> TextPattern::matches(std::string_view text) const
{
    if (m_pattern) {
        return m_pattern->matches(text);
    }
    std::vector<Pattern::Match> found;
    if (m_string.empty()) {
        return found;
    }
    for (std::size_t begin = text.find(m_string); begin != std::string_view::npos;
         begin = text.find(m_string, begin + m_string.size())) {
        found.push_back({begin, begin + m_string.size()});
    }
    return found;
}

} // namespace qs
