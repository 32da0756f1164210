#include "core/text/text_normalizer.h"

#include "core/base/error.h"
#include "core/text/text_pattern.h"
#include "core/text/unicode.h"

#include <functional>

namespace qs {

namespace {

constexpr std::size_t kLongestResult = std::size_t {1} << 28U; ///< bytes

/// A step without state of its own worth a class.
class FunctionNormalizer final : public TextNormalizer
{
public:
    explicit FunctionNormalizer(std::function<std::string(std::string)> function)
        : m_function(std::move(function))
    {
    }
    [[nodiscard]] std::string apply(std::string text) const override { return m_function(std::move(text)); }

private:
    std::function<std::string(std::string)> m_function;
};

class SequenceNormalizer final : public TextNormalizer
{
public:
    explicit SequenceNormalizer(std::vector<std::unique_ptr<const TextNormalizer>> steps)
        : m_steps(std::move(steps))
    {
    }
    [[nodiscard]] std::string apply(std::string text) const override
    {
        for (const auto& step : m_steps) {
            text = step->apply(std::move(text));
        }
        return text;
    }

private:
    std::vector<std::unique_ptr<const TextNormalizer>> m_steps;
};

/// Keeps the code points for which keep() holds.
template<typename Keep>
std::string filtered(const std::string& text, Keep keep)
{
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t start = i;
        if (keep(nextCodePoint(text, i))) {
            result.append(text, start, i - start);
        }
    }
    return result;
}

struct BertOptions
{
    bool cleanText = true;
    bool chinese = true; ///< blanks around ideographs
    bool stripAccents = true;
    bool lowercase = true;
};

/// The blocks of BERT's published code, its slip at 2B920 included.
bool isIdeograph(char32_t c)
{
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF)
        || (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF)
        || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

std::string cleaned(const std::string& text)
{
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const char32_t c = nextCodePoint(text, i);
        const bool blank = c == '\t' || c == '\n' || c == '\r' || isWhitespace(c);
        const bool control = isControl(c) && c != '\t' && c != '\n' && c != '\r';
        if (c == 0 || c == 0xFFFD || control) {
            continue;
        }
        appendCodePoint(result, blank ? U' ' : c);
    }
    return result;
}

std::string withIdeographsApart(const std::string& text)
{
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t start = i;
        const bool apart = isIdeograph(nextCodePoint(text, i));
        result += apart ? " " : "";
        result.append(text, start, i - start);
        result += apart ? " " : "";
    }
    return result;
}

std::string bertNormalized(std::string text, const BertOptions& options)
{
    if (options.cleanText) {
        text = cleaned(text);
    }
    if (options.chinese) {
        text = withIdeographsApart(text);
    }
    if (options.stripAccents) {
        text = filtered(normalized(text, NormalForm::D), [](char32_t c) { return !isNonSpacingMark(c); });
    }
    return options.lowercase ? lowered(text) : text;
}

/// What the rules "nmt_nfkc" of SentencePiece do to a control character or a kind of blank: 0 = nothing left.
char32_t sentencePieceBlank(char32_t c)
{
    if ((c >= 0x1 && c <= 0x8) || c == 0xB || (c >= 0xE && c <= 0x1F) || c == 0x7F || c == 0x8F
        || c == 0x9F) {
        return 0;
    }
    const bool blank = c == 0x9 || c == 0xA || c == 0xC || c == 0xD || c == 0xA0 || c == 0x1680
        || (c >= 0x2000 && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F
        || c == 0x2581 || c == 0x3000 || c == 0xFEFF || c == 0xFFFD;
    return blank ? U' ' : c;
}

std::string sentencePieceNormalized(const std::string& text)
{
    constexpr char32_t kFullwidthTilde = 0xFF5E; // stays what it is
    std::string result;
    std::string part;
    for (std::size_t i = 0; i < text.size();) {
        const char32_t c = nextCodePoint(text, i);
        if (c == kFullwidthTilde) {
            result += normalized(part, NormalForm::KC);
            part.clear();
            appendCodePoint(result, c);
        } else if (const char32_t kept = sentencePieceBlank(c); kept != 0) {
            appendCodePoint(part, kept);
        }
    }
    return result + normalized(part, NormalForm::KC);
}

std::string stripped(const std::string& text, bool left, bool right)
{
    std::size_t begin = 0;
    std::size_t end = text.size();
    for (std::size_t next = begin; left && next < end && isWhitespace(nextCodePoint(text, next));) {
        begin = next;
    }
    for (std::size_t previous = end;
         right && previous > begin && isWhitespace(previousCodePoint(text, previous));) {
        end = previous;
    }
    return text.substr(begin, end - begin);
}

std::unique_ptr<const TextNormalizer> made(std::function<std::string(std::string)> function)
{
    return std::make_unique<FunctionNormalizer>(std::move(function));
}

std::unique_ptr<const TextNormalizer> readBert(const JsonReader& json)
{
    BertOptions options;
    options.cleanText = json.member("clean_text").boolean();
    options.chinese = json.member("handle_chinese_chars").boolean();
    options.lowercase = json.member("lowercase").boolean();
    options.stripAccents = options.lowercase;
    for (const JsonReader& strip : json.optionalMember("strip_accents")) {
        options.stripAccents = strip.boolean();
    }
    return made([options](std::string text) { return bertNormalized(std::move(text), options); });
}

std::unique_ptr<const TextNormalizer> readReplace(const JsonReader& json)
{
    const TextPattern pattern = TextPattern::read(json.member("pattern"));
    const std::string content = json.member("content").string();
    return made([pattern, content](const std::string& text) {
        std::string result;
        std::size_t done = 0;
        for (const Pattern::Match& match : pattern.matches(text)) {
            result.append(text, done, match.begin - done);
            result += content;
            done = match.end;
            if (result.size() > kLongestResult) { // replacements of replacements could grow without end
                throw Error(ErrorCode::Unsupported, "its normalizer makes the text too long");
            }
        }
        result.append(text, done);
        return result;
    });
}

std::unique_ptr<const TextNormalizer> readForm(NormalForm form)
{
    return made([form](const std::string& text) { return normalized(text, form); });
}

} // namespace

std::unique_ptr<const TextNormalizer> readNormalizer(const JsonReader& json)
{
    const std::string type = json.member("type").string();
    if (type == "Sequence") {
        std::vector<std::unique_ptr<const TextNormalizer>> steps;
        for (const JsonReader& step : json.member("normalizers").elements()) {
            steps.push_back(readNormalizer(step)); // the document's nesting is limited
        }
        return std::make_unique<SequenceNormalizer>(std::move(steps));
    }
    if (type == "NFC" || type == "NFD" || type == "NFKC" || type == "NFKD") {
        const bool composed = type.back() == 'C';
        return type.size() == 3 ? readForm(composed ? NormalForm::C : NormalForm::D)
                                : readForm(composed ? NormalForm::KC : NormalForm::KD);
    }
    if (type == "Lowercase") {
        return made([](const std::string& text) { return lowered(text); });
    }
    if (type == "StripAccents") {
        return made(
            [](const std::string& text) { return filtered(text, [](char32_t c) { return !isMark(c); }); });
    }
    if (type == "BertNormalizer") {
        return readBert(json);
    }
    if (type == "Prepend") {
        return made([prefix = json.member("prepend").string()](
                        const std::string& text) { return text.empty() ? text : prefix + text; });
    }
    if (type == "Replace") {
        return readReplace(json);
    }
    if (type == "Strip") {
        const bool left = json.member("strip_left").boolean();
        const bool right = json.member("strip_right").boolean();
        return made([left, right](const std::string& text) { return stripped(text, left, right); });
    }
    if (type == "Precompiled") {
        return made([](const std::string& text) { return sentencePieceNormalized(text); });
    }
    throw Error(ErrorCode::Unsupported, "its normalizer '" + plainSentence(type) + "' is not supported");
}

} // namespace qs
