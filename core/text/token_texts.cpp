#include "core/text/token_texts.h"

#include "core/base/error.h"
#include "core/io/json_reader.h"
#include "core/io/json_text.h"
#include "core/text/byte_level.h"
#include "core/text/token_model.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <string_view>

namespace qs {

namespace {

constexpr std::string_view kByteBlank = "\xC4\xA0"; ///< Ġ
constexpr std::string_view kBlank = "\xE2\x96\x81"; ///< ▁
constexpr std::string_view kContinuation = "##";
constexpr std::int64_t kMostTokens = std::int64_t {1} << 28U;

void put(std::vector<std::string>& strings, std::int64_t id, std::string text)
{
    if (static_cast<std::size_t>(id) >= strings.size()) {
        strings.resize(static_cast<std::size_t>(id) + 1);
    }
    strings[static_cast<std::size_t>(id)] = std::move(text);
}

void putAll(std::vector<std::string>& strings, const JsonReader& vocabulary)
{
    if (vocabulary.isList()) { // Unigram: pieces with their scores
        std::int64_t id = 0;
        for (const JsonReader& piece : vocabulary.elements()) {
            put(strings, id++, piece.elements().front().string());
        }
        return;
    }
    for (const auto& [text, id] : readVocabulary(vocabulary)) {
        put(strings, id, text);
    }
}

std::vector<std::string> stringsOf(const std::filesystem::path& file)
{
    std::vector<std::string> strings;
    if (file.extension() == ".txt") {
        std::ifstream lines(file);
        std::int64_t id = 0;
        for (std::string line; std::getline(lines, line);) {
            put(strings, id++, line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
        }
        return strings;
    }
    const nlohmann::json document = readJsonFile(file);
    const JsonReader root(document, "");
    if (file.filename() == "vocab.json") {
        putAll(strings, root);
        return strings;
    }
    putAll(strings, root.member("model").member("vocab"));
    for (const JsonReader& all : root.optionalMember("added_tokens")) {
        for (const JsonReader& added : all.elements()) {
            put(strings, added.member("id").integer(0, kMostTokens), added.member("content").string());
        }
    }
    return strings;
}

std::string replaced(std::string text, std::string_view what, std::string_view by)
{
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
    }
    return text;
}

/// The byte of "<0x0A>", -1 for another string.
int byteOf(const std::string& string)
{
    const bool is = string.size() == 6 && string.starts_with("<0x") && string.ends_with('>')
        && string.find_first_not_of("0123456789ABCDEF", 3) == 5;
    return is ? std::stoi(string.substr(3, 2), nullptr, 16) : -1;
}

} // namespace

std::shared_ptr<const TokenTexts> TokenTexts::open(const std::filesystem::path& folder)
{
    for (const char* name : {"tokenizer.json", "vocab.json", "vocab.txt"}) {
        if (std::error_code ignored; std::filesystem::exists(folder / name, ignored)) {
            try {
                return std::shared_ptr<const TokenTexts>(new TokenTexts(stringsOf(folder / name)));
            } catch (const Error& error) {
                throw Error(error.code(), (folder / name).string() + ": " + error.what());
            }
        }
    }
    return nullptr;
}

TokenTexts::TokenTexts(std::vector<std::string> strings)
    : m_strings(std::move(strings))
{
    const auto any = [this](auto holds) { return std::ranges::any_of(m_strings, holds); };
    if (any([](const std::string& s) { return s.starts_with(kByteBlank); })) {
        m_manner = Manner::Bytes;
        for (int byte = 0; byte < 256; ++byte) {
            m_bytes.push_back(byteLevelText(std::string(1, static_cast<char>(byte))));
        }
    } else if (any([](const std::string& s) { return s.starts_with(kBlank); })) {
        m_manner = Manner::Blanks;
    } else if (any([](const std::string& s) { return s.starts_with(kContinuation); })) {
        m_manner = Manner::Continuations;
    }
}

std::string TokenTexts::shown(const std::string& string) const
{
    if (m_manner == Manner::Blanks) {
        const int byte = byteOf(string);
        return byte >= 0 ? std::string(1, static_cast<char>(byte)) : replaced(string, kBlank, " ");
    }
    if (m_manner != Manner::Bytes) {
        return string;
    }
    std::string bytes;
    for (std::size_t at = 0; at < string.size();) {
        const std::size_t length = (static_cast<unsigned char>(string[at]) & 0x80U) == 0 ? 1 : 2;
        const auto written = std::ranges::find(m_bytes, string.substr(at, length));
        if (written == m_bytes.end()) {
            return string; // an added token, which stands for itself
        }
        bytes += static_cast<char>(written - m_bytes.begin());
        at += length;
    }
    return bytes;
}

std::string TokenTexts::text(std::span<const std::int32_t> ids) const
{
    std::string text;
    for (const std::int32_t id : ids) {
        const bool known = id >= 0 && static_cast<std::size_t>(id) < m_strings.size()
            && !m_strings[static_cast<std::size_t>(id)].empty();
        const std::string string
            = known ? m_strings[static_cast<std::size_t>(id)] : "<" + std::to_string(id) + ">";
        const bool continues = m_manner == Manner::Continuations && string.starts_with(kContinuation);
        const bool wordsStandApart = m_manner == Manner::Words || m_manner == Manner::Continuations;
        if (wordsStandApart && !continues && !text.empty()) {
            text += ' ';
        }
        text += continues ? string.substr(kContinuation.size()) : known ? shown(string) : string;
    }
    return text;
}

} // namespace qs
