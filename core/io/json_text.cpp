#include "core/io/json_text.h"

#include "core/base/error.h"
#include "core/base/mapped_file.h"

#include <nlohmann/json.hpp>

#include <set>
#include <vector>

namespace qs {

namespace {

using nlohmann::json;

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxNameInSentence = 120;
constexpr std::size_t kMaxFileSize = std::size_t {16} << 20U;

/// Follows the parser through the text and refuses what a DOM would hide.
class StructureCheck
{
public:
    explicit StructureCheck(const std::filesystem::path& file)
        : m_file(file)
    {
    }

    bool operator()(int depth, json::parse_event_t event, const json& parsed)
    {
        if (depth > kMaxDepth) {
            throw Error(ErrorCode::CorruptFile,
                "'" + m_file.string() + "' nests JSON deeper than " + std::to_string(kMaxDepth) + " levels");
        }
        if (event == json::parse_event_t::object_start) {
            m_keys.emplace_back();
        } else if (event == json::parse_event_t::object_end) {
            m_keys.pop_back();
        } else if (event == json::parse_event_t::key
            && !m_keys.back().insert(parsed.get<std::string>()).second) {
            throw Error(ErrorCode::CorruptFile,
                "'" + m_file.string() + "' has the key " + quotedName(parsed.get<std::string>())
                    + " twice in one object");
        }
        return true;
    }

private:
    const std::filesystem::path& m_file;
    std::vector<std::set<std::string>> m_keys;
};

} // namespace

std::string quotedName(std::string_view name)
{
    const bool cut = name.size() > kMaxNameInSentence;
    std::string text = "'";
    for (const char c : name.substr(0, kMaxNameInSentence)) {
        text += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    }
    return text + (cut ? "...'" : "'");
}

json parseJson(std::string_view text, const std::filesystem::path& file)
{
    StructureCheck check(file);
    try {
        return json::parse(text.begin(), text.end(), std::ref(check));
    } catch (const json::parse_error& error) {
        throw Error(ErrorCode::CorruptFile,
            "'" + file.string() + "' is not valid JSON: unexpected text at byte " + std::to_string(error.byte)
                + " of " + std::to_string(text.size()));
    } catch (const json::exception&) {
        throw Error(
            ErrorCode::CorruptFile, "'" + file.string() + "' holds a number that no double can represent");
    }
}

json readJsonFile(const std::filesystem::path& file)
{
    const auto mapped = MappedFile::open(file);
    const auto bytes = mapped->bytes();
    if (bytes.size() > kMaxFileSize) {
        throw Error(ErrorCode::CorruptFile,
            "'" + file.string() + "' has " + std::to_string(bytes.size()) + " bytes, more than the "
                + std::to_string(kMaxFileSize) + " a configuration may have");
    }
    return parseJson({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file);
}

} // namespace qs
