#include "core/exporting/markup.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

namespace qs {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Length of the UTF-8 sequence that `text` begins with, 0 when it is none (also overlong forms, surrogates
/// and numbers beyond U+10FFFF).
std::size_t sequenceLength(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(0);
    const std::size_t length = first < 0x80 ? 1
        : first >= 0xC2 && first < 0xE0     ? 2
        : first >= 0xE0 && first < 0xF0     ? 3
        : first >= 0xF0 && first < 0xF5     ? 4
                                            : 0;
    if (length == 0 || length > text.size()) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0U) != 0x80U) {
            return 0;
        }
    }
    const bool bad = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) >= 0xA0)
        || (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90);
    return bad ? 0 : length;
}

std::string_view referenceFor(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return {};
    }
}

} // namespace

std::string escapedMarkup(std::string_view text)
{
    std::string result;
    result.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = sequenceLength(text);
        const char c = text.front();
        if (length == 0) {
            result += kReplacement;
            text.remove_prefix(1);
            continue;
        }
        if (const std::string_view reference = referenceFor(c); !reference.empty()) {
            result += reference;
        } else if (length > 1 || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) || c == '\n'
            || c == '\t') {
            result += text.substr(0, length);
        }
        text.remove_prefix(length);
    }
    return result;
}

std::string base64(std::span<const std::byte> bytes)
{
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string result;
    result.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            group
                = (group << 8U) | (i + k < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0U);
        }
        for (std::size_t k = 0; k < 4; ++k) {
            const bool padding = k > bytes.size() - i;
            result += padding ? '=' : kDigits[(group >> (18U - 6U * static_cast<unsigned>(k))) & 63U];
        }
    }
    return result;
}

std::string dataUri(std::string_view type, std::string_view bytes)
{
    return "data:" + std::string(type) + ";base64," + base64(std::as_bytes(std::span(bytes)));
}

std::string reportNumber(double value, int decimals)
{
    if (std::isnan(value)) {
        return "–";
    }
    if (std::isinf(value)) {
        return value > 0.0 ? "∞" : "−∞";
    }
    std::array<char, 400> text {};
    std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
    return text.data();
}

std::string shortNumber(double value)
{
    if (!std::isfinite(value)) {
        return reportNumber(value, 0);
    }
    std::array<char, 40> text {};
    std::snprintf(text.data(), text.size(), "%.3g", value);
    return text.data();
}

} // namespace qs
