#include "core/text/pre_tokenizer.h"

#include "core/base/error.h"
#include "core/text/byte_level.h"
#include "core/text/text_pattern.h"
#include "core/text/unicode.h"

#include <functional>

namespace qs {

namespace {

using Matches = std::vector<Pattern::Match>;

/// What becomes of the parts of a text that a pattern matches.
enum class Behavior { Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous };

Behavior readBehavior(const JsonReader& json)
{
    const std::string name = json.string();
    if (name == "Removed") {
        return Behavior::Removed;
    }
    if (name == "Isolated") {
        return Behavior::Isolated;
    }
    if (name == "MergedWithPrevious") {
        return Behavior::MergedWithPrevious;
    }
    if (name == "MergedWithNext") {
        return Behavior::MergedWithNext;
    }
    if (name == "Contiguous") {
        return Behavior::Contiguous;
    }
    json.fail("is no behavior that is known");
}

/// A part of a text, matched or between matches.
struct Part
{
    std::size_t begin = 0;
    std::size_t end = 0;
    bool matched = false;
};

/// Matches and what lies between them, covering the text; `invert` swaps the two.
std::vector<Part> partsOf(std::string_view text, const Matches& matches, bool invert)
{
    std::vector<Part> parts;
    std::size_t done = 0;
    for (const Pattern::Match& match : matches) {
        if (match.begin > done) {
            parts.push_back({done, match.begin, invert});
        }
        parts.push_back({match.begin, match.end, !invert});
        done = match.end;
    }
    if (done < text.size()) {
        parts.push_back({done, text.size(), invert});
    }
    return parts;
}

std::vector<Part> merged(const std::vector<Part>& parts, Behavior behavior)
{
    std::vector<Part> result;
    bool joins = false; // the part before, whether it still takes a match or wants to go to what follows
    for (const Part& part : parts) {
        switch (behavior) {
        case Behavior::Removed:
            if (!part.matched) {
                result.push_back(part);
            }
            break;
        case Behavior::Isolated: result.push_back(part); break;
        case Behavior::Contiguous:
            if (!result.empty() && result.back().matched == part.matched) {
                result.back().end = part.end;
            } else {
                result.push_back(part);
            }
            break;
        case Behavior::MergedWithPrevious:
            if (part.matched && joins) {
                result.back().end = part.end;
            } else {
                result.push_back(part);
            }
            joins = !part.matched;
            break;
        case Behavior::MergedWithNext:
            if (!part.matched && joins) {
                result.back().end = part.end;
            } else {
                result.push_back(part);
            }
            joins = part.matched;
            break;
        }
    }
    return result;
}

/// Cuts pieces where a function finds matches.
class MatchSplitter final : public PreTokenizer
{
public:
    using Finder = std::function<Matches(std::string_view)>;
    MatchSplitter(Finder finder, Behavior behavior, bool invert)
        : m_finder(std::move(finder))
        , m_behavior(behavior)
        , m_invert(invert)
    {
    }
    [[nodiscard]] std::vector<TextPiece> split(std::vector<TextPiece> pieces) const override
    {
        std::vector<TextPiece> result;
        for (const TextPiece& piece : pieces) {
            for (const Part& part : merged(partsOf(piece.text, m_finder(piece.text), m_invert), m_behavior)) {
                result.push_back(
                    {piece.text.substr(part.begin, part.end - part.begin), piece.atStart && part.begin == 0});
            }
        }
        return result;
    }

private:
    Finder m_finder;
    Behavior m_behavior;
    bool m_invert;
};

/// Every code point for which a predicate holds is a match, or (runs) as many as there are together.
template<typename Predicate>
MatchSplitter::Finder codePoints(Predicate predicate, bool runs = false)
{
    return [predicate, runs](std::string_view text) {
        Matches found;
        for (std::size_t i = 0; i < text.size();) {
            const std::size_t start = i;
            if (!predicate(nextCodePoint(text, i))) {
                continue;
            }
            if (runs && !found.empty() && found.back().end == start) {
                found.back().end = i;
            } else {
                found.push_back({start, i});
            }
        }
        return found;
    };
}

/// Words \w+ and runs of other characters [^\w\s]+, without the blanks.
Matches wordsAndSigns(std::string_view text)
{
    Matches found;
    int kindBefore = 0;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t start = i;
        const char32_t c = nextCodePoint(text, i);
        const int kind = isWordPart(c) ? 1 : isWhitespace(c) ? 0 : 2;
        if (kind != 0 && kind == kindBefore) {
            found.back().end = i;
        } else if (kind != 0) {
            found.push_back({start, i});
        }
        kindBefore = kind;
    }
    return found;
}

class SequencePreTokenizer final : public PreTokenizer
{
public:
    explicit SequencePreTokenizer(std::vector<std::unique_ptr<const PreTokenizer>> steps)
        : m_steps(std::move(steps))
    {
    }
    [[nodiscard]] std::vector<TextPiece> split(std::vector<TextPiece> pieces) const override
    {
        for (const auto& step : m_steps) {
            pieces = step->split(std::move(pieces));
        }
        return pieces;
    }

private:
    std::vector<std::unique_ptr<const PreTokenizer>> m_steps;
};

class ByteLevelPreTokenizer final : public PreTokenizer
{
public:
    ByteLevelPreTokenizer(bool prefixSpace, bool cutsWords)
        : m_prefixSpace(prefixSpace)
        , m_cutsWords(cutsWords)
    {
    }
    [[nodiscard]] std::vector<TextPiece> split(std::vector<TextPiece> pieces) const override
    {
        std::vector<TextPiece> result;
        for (TextPiece& piece : pieces) {
            if (m_prefixSpace && !piece.text.starts_with(' ')) {
                piece.text.insert(0, 1, ' ');
            }
            const Matches words = m_cutsWords ? byteLevelWords(piece.text) : Matches {{0, piece.text.size()}};
            for (const Pattern::Match& word : words) {
                const std::string_view text
                    = std::string_view(piece.text).substr(word.begin, word.end - word.begin);
                result.push_back({byteLevelText(text), piece.atStart && word.begin == 0});
            }
        }
        return result;
    }

private:
    bool m_prefixSpace;
    bool m_cutsWords;
};

enum class PrependScheme { Always, First, Never };

class MetaspacePreTokenizer final : public PreTokenizer
{
public:
    MetaspacePreTokenizer(std::string replacement, PrependScheme scheme, bool cutsWords)
        : m_replacement(std::move(replacement))
        , m_scheme(scheme)
        , m_cutsWords(cutsWords)
    {
    }
    [[nodiscard]] std::vector<TextPiece> split(std::vector<TextPiece> pieces) const override
    {
        std::vector<TextPiece> result;
        for (const TextPiece& piece : pieces) {
            std::string text = marked(piece);
            if (!m_cutsWords) {
                result.push_back({std::move(text), piece.atStart});
                continue;
            }
            for (std::size_t begin = 0; begin < text.size();) { // a mark begins a word
                const std::size_t end = std::min(text.find(m_replacement, begin + 1), text.size());
                result.push_back({text.substr(begin, end - begin), piece.atStart && begin == 0});
                begin = end;
            }
        }
        return result;
    }

private:
    [[nodiscard]] std::string marked(const TextPiece& piece) const
    {
        std::string text;
        text.reserve(piece.text.size() + m_replacement.size());
        for (const char c : piece.text) {
            if (c == ' ') {
                text += m_replacement;
            } else {
                text += c;
            }
        }
        const bool wanted
            = m_scheme == PrependScheme::Always || (m_scheme == PrependScheme::First && piece.atStart);
        return wanted && !text.starts_with(m_replacement) ? m_replacement + text : text;
    }

    std::string m_replacement;
    PrependScheme m_scheme;
    bool m_cutsWords;
};

bool flag(const JsonReader& json, const char* key, bool fallback)
{
    const std::vector<JsonReader> found = json.optionalMember(key);
    return found.empty() ? fallback : found.front().boolean();
}

std::unique_ptr<const PreTokenizer> readMetaspace(const JsonReader& json)
{
    const std::string replacement = json.member("replacement").string();
    if (replacement.empty() || codePointLength(replacement.front()) != replacement.size()) {
        json.member("replacement").fail("is not one character");
    }
    PrependScheme scheme
        = flag(json, "add_prefix_space", true) ? PrependScheme::Always : PrependScheme::Never;
    for (const JsonReader& stated : json.optionalMember("prepend_scheme")) {
        const std::string name = stated.string();
        if (name != "always" && name != "first" && name != "never") {
            stated.fail("is none of always, first, never");
        }
        scheme = name == "always" ? PrependScheme::Always
            : name == "first"     ? PrependScheme::First
                                  : PrependScheme::Never;
    }
    return std::make_unique<MetaspacePreTokenizer>(replacement, scheme, flag(json, "split", true));
}

std::unique_ptr<const PreTokenizer> splitting(
    MatchSplitter::Finder finder, Behavior behavior, bool invert = false)
{
    return std::make_unique<MatchSplitter>(std::move(finder), behavior, invert);
}

std::unique_ptr<const PreTokenizer> readSequence(const JsonReader& json)
{
    std::vector<std::unique_ptr<const PreTokenizer>> steps;
    for (const JsonReader& step : json.member("pretokenizers").elements()) {
        steps.push_back(readPreTokenizer(step)); // the document's nesting is limited
    }
    return std::make_unique<SequencePreTokenizer>(std::move(steps));
}

} // namespace

std::unique_ptr<const PreTokenizer> readPreTokenizer(const JsonReader& json)
{
    const std::string type = json.member("type").string();
    if (type == "Sequence") {
        return readSequence(json);
    }
    if (type == "ByteLevel") {
        return std::make_unique<ByteLevelPreTokenizer>(
            json.member("add_prefix_space").boolean(), flag(json, "use_regex", true));
    }
    if (type == "Metaspace") {
        return readMetaspace(json);
    }
    if (type == "Whitespace") {
        return splitting(wordsAndSigns, Behavior::Removed, true);
    }
    if (type == "WhitespaceSplit") {
        return splitting(codePoints(isWhitespace), Behavior::Removed);
    }
    if (type == "BertPreTokenizer") {
        std::vector<std::unique_ptr<const PreTokenizer>> steps;
        steps.push_back(splitting(codePoints(isWhitespace), Behavior::Removed));
        steps.push_back(splitting(codePoints(isPunctuation), Behavior::Isolated));
        return std::make_unique<SequencePreTokenizer>(std::move(steps));
    }
    if (type == "Punctuation") {
        const std::vector<JsonReader> behavior = json.optionalMember("behavior");
        return splitting(codePoints(isPunctuation),
            behavior.empty() ? Behavior::Isolated : readBehavior(behavior.front()));
    }
    if (type == "Digits") {
        const bool individual = json.member("individual_digits").boolean();
        return splitting(codePoints(isNumber), individual ? Behavior::Isolated : Behavior::Contiguous);
    }
    if (type == "Split") {
        const TextPattern pattern = TextPattern::read(json.member("pattern"));
        return splitting([pattern](std::string_view text) { return pattern.matches(text); },
            readBehavior(json.member("behavior")), flag(json, "invert", false));
    }
    throw Error(ErrorCode::Unsupported, "its pre-tokenizer '" + plainSentence(type) + "' is not supported");
}

} // namespace qs
