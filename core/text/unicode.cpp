#include "core/text/unicode.h"

#include "core/base/error.h"

#include <array>
#include <memory>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uregex.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

namespace qs {

namespace {

/// ICU counts in 32 bits.
constexpr std::size_t kLongestText = std::size_t {1} << 28U;

std::int32_t lengthOf(std::string_view text)
{
    if (text.size() > kLongestText) {
        throw Error(ErrorCode::Unsupported,
            "a text of " + std::to_string(text.size()) + " bytes is more than the "
                + std::to_string(kLongestText) + " that are read at once");
    }
    return static_cast<std::int32_t>(text.size());
}

[[noreturn]] void fail(UErrorCode code)
{
    throw Error(code == U_MEMORY_ALLOCATION_ERROR ? ErrorCode::OutOfMemory : ErrorCode::Internal,
        std::string("the Unicode library failed: ") + u_errorName(code));
}

std::u16string toUtf16(std::string_view text)
{
    std::u16string result(static_cast<std::size_t>(lengthOf(text)), u'\0'); // never more units than bytes
    std::int32_t length = 0;
    UErrorCode code = U_ZERO_ERROR;
    u_strFromUTF8(result.data(), lengthOf(text), &length, text.data(), lengthOf(text), &code);
    if (U_FAILURE(code)) {
        fail(code);
    }
    result.resize(static_cast<std::size_t>(length));
    return result;
}

std::string toUtf8(std::u16string_view text)
{
    std::string result(text.size() * 3, '\0');
    std::int32_t length = 0;
    UErrorCode code = U_ZERO_ERROR;
    u_strToUTF8(result.data(), static_cast<std::int32_t>(result.size()), &length, text.data(),
        static_cast<std::int32_t>(text.size()), &code);
    if (U_FAILURE(code)) {
        fail(code);
    }
    result.resize(static_cast<std::size_t>(length));
    return result;
}

const UNormalizer2* normalizerFor(NormalForm form)
{
    UErrorCode code = U_ZERO_ERROR;
    const UNormalizer2* result = nullptr;
    switch (form) {
    case NormalForm::C: result = unorm2_getNFCInstance(&code); break;
    case NormalForm::D: result = unorm2_getNFDInstance(&code); break;
    case NormalForm::KC: result = unorm2_getNFKCInstance(&code); break;
    case NormalForm::KD: result = unorm2_getNFKDInstance(&code); break;
    }
    if (U_FAILURE(code)) {
        fail(code);
    }
    return result;
}

bool hasCategory(char32_t codePoint, std::uint32_t mask)
{
    return (U_GET_GC_MASK(static_cast<UChar32>(codePoint)) & mask) != 0;
}

bool isAscii(std::string_view text)
{
    for (const char c : text) {
        if (static_cast<unsigned char>(c) >= 0x80) {
            return false;
        }
    }
    return true;
}

struct CloseRegex
{
    void operator()(URegularExpression* regex) const { uregex_close(regex); }
};
using Regex = std::unique_ptr<URegularExpression, CloseRegex>;

Regex compiled(const std::string& expression, const std::string& subject)
{
    const std::u16string pattern = toUtf16(expression);
    UParseError place {};
    UErrorCode code = U_ZERO_ERROR;
    Regex regex(uregex_open(pattern.data(), static_cast<std::int32_t>(pattern.size()), 0, &place, &code));
    if (U_FAILURE(code)) {
        throw Error(ErrorCode::Unsupported,
            subject + " has the pattern '" + expression.substr(0, 200)
                + "', which cannot be used: " + u_errorName(code));
    }
    constexpr std::int32_t kSteps = 2000; // units of about a millisecond, per match
    constexpr std::int32_t kStackBytes = 1 << 24;
    uregex_setTimeLimit(regex.get(), kSteps, &code);
    uregex_setStackLimit(regex.get(), kStackBytes, &code);
    if (U_FAILURE(code)) {
        fail(code);
    }
    return regex;
}

/// \s and \S as the property they name elsewhere: ICU's \s leaves out two control characters.
std::string withWhitespaceProperty(const std::string& expression)
{
    std::string result;
    for (std::size_t i = 0; i < expression.size(); ++i) {
        if (expression[i] != '\\' || i + 1 == expression.size()) {
            result += expression[i];
            continue;
        }
        const char escaped = expression[++i];
        if (escaped == 's' || escaped == 'S') {
            result += escaped == 's' ? "\\p{White_Space}" : "\\P{White_Space}";
        } else {
            result += '\\';
            result += escaped;
        }
    }
    return result;
}

} // namespace

void requireUtf8(std::string_view text, const std::string& subject)
{
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto length = static_cast<std::int64_t>(text.size());
    for (std::int64_t i = 0; i < length;) {
        const std::int64_t start = i;
        UChar32 codePoint = 0;
        U8_NEXT(bytes, i, length, codePoint);
        if (codePoint < 0) {
            throw Error(ErrorCode::CorruptFile,
                subject + " is not UTF-8 text: the byte at offset " + std::to_string(start)
                    + " does not begin a character");
        }
    }
}

char32_t nextCodePoint(std::string_view text, std::size_t& offset)
{
    constexpr std::array<unsigned, 5> kFirstBits {0, 0x7F, 0x1F, 0x0F, 0x07};
    const std::size_t length = codePointLength(text[offset]);
    char32_t codePoint = static_cast<unsigned char>(text[offset]) & kFirstBits[length];
    for (std::size_t i = 1; i < length; ++i) {
        codePoint = (codePoint << 6U) | (static_cast<unsigned char>(text[offset + i]) & 0x3FU);
    }
    offset += length;
    return codePoint;
}

char32_t previousCodePoint(std::string_view text, std::size_t& offset)
{
    do {
        --offset;
    } while ((static_cast<unsigned char>(text[offset]) & 0xC0U) == 0x80U);
    std::size_t start = offset;
    return nextCodePoint(text, start);
}

void appendCodePoint(std::string& text, char32_t codePoint)
{
    const auto put = [&](char32_t bits) { text += static_cast<char>(static_cast<unsigned char>(bits)); };
    if (codePoint < 0x80) {
        put(codePoint);
        return;
    }
    if (codePoint < 0x800) {
        put(0xC0U | (codePoint >> 6U));
    } else {
        if (codePoint < 0x10000) {
            put(0xE0U | (codePoint >> 12U));
        } else {
            put(0xF0U | (codePoint >> 18U));
            put(0x80U | ((codePoint >> 12U) & 0x3FU));
        }
        put(0x80U | ((codePoint >> 6U) & 0x3FU));
    }
    put(0x80U | (codePoint & 0x3FU));
}

std::size_t codePointLength(char firstByte)
{
    const auto byte = static_cast<unsigned char>(firstByte);
    return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

std::string normalized(std::string_view text, NormalForm form)
{
    if (isAscii(text)) {
        return std::string(text);
    }
    const std::u16string source = toUtf16(text);
    const auto length = static_cast<std::int32_t>(source.size());
    const UNormalizer2* normalizer = normalizerFor(form);
    UErrorCode code = U_ZERO_ERROR;
    const std::int32_t needed
        = unorm2_normalize(normalizer, source.data(), length, nullptr, 0, &code); // only counts
    if (U_FAILURE(code) && code != U_BUFFER_OVERFLOW_ERROR) {
        fail(code);
    }
    std::u16string result(static_cast<std::size_t>(needed), u'\0');
    code = U_ZERO_ERROR;
    unorm2_normalize(normalizer, source.data(), length, result.data(), needed, &code);
    if (U_FAILURE(code)) {
        fail(code);
    }
    return toUtf8(result);
}

std::string lowered(std::string_view text)
{
    constexpr char32_t kCapitalIWithDot = 0x130; // the only one whose lower case is two code points
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const char32_t codePoint = nextCodePoint(text, i);
        if (codePoint == kCapitalIWithDot) {
            result += "i\xCC\x87";
        } else {
            appendCodePoint(result, static_cast<char32_t>(u_tolower(static_cast<UChar32>(codePoint))));
        }
    }
    return result;
}

bool isWhitespace(char32_t codePoint)
{
    return u_isUWhiteSpace(static_cast<UChar32>(codePoint)) != 0;
}

bool isLetter(char32_t codePoint)
{
    return hasCategory(codePoint, U_GC_L_MASK);
}

bool isNumber(char32_t codePoint)
{
    return hasCategory(codePoint, U_GC_N_MASK);
}

bool isMark(char32_t codePoint)
{
    return hasCategory(codePoint, U_GC_M_MASK);
}

bool isNonSpacingMark(char32_t codePoint)
{
    return hasCategory(codePoint, U_GC_MN_MASK);
}

bool isPunctuation(char32_t codePoint)
{
    const bool ascii = (codePoint >= 0x21 && codePoint <= 0x2F) || (codePoint >= 0x3A && codePoint <= 0x40)
        || (codePoint >= 0x5B && codePoint <= 0x60) || (codePoint >= 0x7B && codePoint <= 0x7E);
    return ascii || hasCategory(codePoint, U_GC_P_MASK);
}

bool isControl(char32_t codePoint)
{
    return hasCategory(codePoint, U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK | U_GC_CS_MASK);
}

bool isWordPart(char32_t codePoint)
{
    return u_hasBinaryProperty(static_cast<UChar32>(codePoint), UCHAR_ALPHABETIC) != 0
        || hasCategory(codePoint, U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK) || codePoint == 0x200C
        || codePoint == 0x200D;
}

Pattern::Pattern(std::string expression, std::string subject)
    : m_expression(withWhitespaceProperty(expression))
    , m_subject(std::move(subject))
{
    (void)compiled(m_expression, m_subject);
}

std::vector<Pattern::Match> Pattern::matches(std::string_view text) const
{
    const Regex regex = compiled(m_expression, m_subject); // one per call: its state is not shared by threads
    const std::u16string units = toUtf16(text);
    UErrorCode code = U_ZERO_ERROR;
    uregex_setText(regex.get(), units.data(), static_cast<std::int32_t>(units.size()), &code);
    std::vector<Match> found;
    std::size_t unit = 0; // place reached in the UTF-16 text, and the same place in the UTF-8 text
    std::size_t byte = 0;
    const auto byteOf = [&](std::int32_t wanted) {
        while (unit < static_cast<std::size_t>(wanted)) {
            const std::size_t length = codePointLength(text[byte]);
            byte += length;
            unit += length == 4 ? 2 : 1;
        }
        return byte;
    };
    while (U_SUCCESS(code) && uregex_findNext(regex.get(), &code) && U_SUCCESS(code)) {
        const std::int32_t begin = uregex_start(regex.get(), 0, &code);
        const std::int32_t end = uregex_end(regex.get(), 0, &code);
        if (end > begin) {
            const std::size_t first = byteOf(begin);
            found.push_back({first, byteOf(end)});
        }
    }
    if (code == U_REGEX_TIME_OUT || code == U_REGEX_STACK_OVERFLOW) {
        throw Error(ErrorCode::Unsupported,
            m_subject + " has the pattern '" + m_expression.substr(0, 200)
                + "', which takes too long to match");
    }
    if (U_FAILURE(code)) {
        fail(code);
    }
    return found;
}

} // namespace qs
