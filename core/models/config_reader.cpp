#include "core/models/config_reader.h"

#include "core/base/error.h"
#include "core/io/json_text.h"

#include <nlohmann/json.hpp>

namespace qs {

using nlohmann::json;

ConfigReader::ConfigReader(const std::filesystem::path& file)
    : m_file(file)
    , m_root(std::make_shared<json>(readJsonFile(file)))
    , m_object(m_root.get())
{
    if (!m_object->is_object()) {
        throw Error(ErrorCode::CorruptFile, "'" + file.string() + "' does not hold a JSON object");
    }
}

ConfigReader::ConfigReader(std::filesystem::path file, std::shared_ptr<const json> root, const json* object)
    : m_file(std::move(file))
    , m_root(std::move(root))
    , m_object(object)
{
}

const json* ConfigReader::find(const char* key) const
{
    if (m_object == nullptr) {
        return nullptr;
    }
    const auto it = m_object->find(key);
    return it == m_object->end() || it->is_null() ? nullptr : &*it;
}

void ConfigReader::fail(const char* key, const std::string& expected) const
{
    const json* value = find(key);
    const std::string text = value == nullptr
        ? "nothing"
        : quotedName(value->is_structured() ? std::string(value->type_name())
                                            : value->dump(-1, ' ', false, json::error_handler_t::replace));
    throw Error(ErrorCode::CorruptFile,
        "'" + m_file.string() + "' has " + text + " as '" + key + "', but " + expected);
}

bool ConfigReader::has(const char* key) const
{
    return find(key) != nullptr;
}

bool ConfigReader::empty() const
{
    return m_object == nullptr;
}

std::int64_t ConfigReader::checkedInteger(
    const char* key, const json& value, std::int64_t lowest, std::int64_t highest) const
{
    const bool fits = value.is_number_integer()
        && !(value.is_number_unsigned()
            && value.get<std::uint64_t>()
                > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        && value.get<std::int64_t>() >= lowest && value.get<std::int64_t>() <= highest;
    if (!fits) {
        fail(key,
            "it must be whole numbers from " + std::to_string(lowest) + " to " + std::to_string(highest));
    }
    return value.get<std::int64_t>();
}

double ConfigReader::checkedNumber(const char* key, const json& value, double lowest, double highest) const
{
    if (!value.is_number() || !(value.get<double>() >= lowest && value.get<double>() <= highest)) {
        fail(key, "it must be numbers from " + std::to_string(lowest) + " to " + std::to_string(highest));
    }
    return value.get<double>();
}

std::optional<std::int64_t> ConfigReader::integer(
    const char* key, std::int64_t lowest, std::int64_t highest) const
{
    const json* value = find(key);
    return value == nullptr ? std::nullopt : std::optional(checkedInteger(key, *value, lowest, highest));
}

std::optional<double> ConfigReader::number(const char* key, double lowest, double highest) const
{
    const json* value = find(key);
    return value == nullptr ? std::nullopt : std::optional(checkedNumber(key, *value, lowest, highest));
}

std::optional<std::string> ConfigReader::text(const char* key) const
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_string()) {
        fail(key, "it must be text");
    }
    return value->get<std::string>();
}

std::optional<bool> ConfigReader::flag(const char* key) const
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_boolean()) {
        fail(key, "it must be true or false");
    }
    return value->get<bool>();
}

std::vector<std::string> ConfigReader::texts(const char* key) const
{
    const json* value = find(key);
    std::vector<std::string> result;
    if (value == nullptr) {
        return result;
    }
    if (!value->is_array()) {
        fail(key, "it must be a list of texts");
    }
    for (const json& element : *value) {
        if (!element.is_string()) {
            fail(key, "it must be a list of texts");
        }
        result.push_back(element.get<std::string>());
    }
    return result;
}

std::vector<std::int64_t> ConfigReader::integers(
    const char* key, std::int64_t lowest, std::int64_t highest) const
{
    constexpr std::size_t kMost = 64;
    const json* value = find(key);
    std::vector<std::int64_t> result;
    if (value == nullptr) {
        return result;
    }
    if (!value->is_array() || value->size() > kMost) {
        fail(key, "it must be a list of at most " + std::to_string(kMost) + " whole numbers");
    }
    for (const json& element : *value) {
        result.push_back(checkedInteger(key, element, lowest, highest));
    }
    return result;
}

ConfigReader ConfigReader::object(const char* key) const
{
    const json* value = find(key);
    if (value != nullptr && !value->is_object()) {
        fail(key, "it must be an object");
    }
    return {m_file, m_root, value};
}

std::optional<std::int64_t> ConfigReader::count(const char* key) const
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_structured()) {
        fail(key, "it must be an object or a list");
    }
    return static_cast<std::int64_t>(value->size());
}

std::optional<std::array<double, 3>> ConfigReader::triple(
    const char* key, double lowest, double highest) const
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_array() || value->size() != 3) {
        fail(key, "it must be a list of three numbers");
    }
    std::array<double, 3> result {};
    for (std::size_t i = 0; i < 3; ++i) {
        result[i] = checkedNumber(key, (*value)[i], lowest, highest);
    }
    return result;
}

std::optional<std::pair<std::int64_t, std::int64_t>> ConfigReader::extent(const char* key) const
{
    constexpr std::int64_t kLargest = 1 << 16;
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (value->is_array() && value->size() == 2) {
        return std::pair(
            checkedInteger(key, (*value)[0], 1, kLargest), checkedInteger(key, (*value)[1], 1, kLargest));
    }
    if (value->is_object()) {
        const ConfigReader sides = object(key);
        if (const auto shortest = sides.integer("shortest_edge", 1, kLargest)) {
            return std::pair(*shortest, *shortest);
        }
        const auto height = sides.integer("height", 1, kLargest);
        const auto width = sides.integer("width", 1, kLargest);
        if (!height || !width) {
            fail(key, "it must state height and width, or shortest_edge");
        }
        return std::pair(*height, *width);
    }
    const std::int64_t side = checkedInteger(key, *value, 1, kLargest);
    return std::pair(side, side);
}

std::optional<std::array<std::int64_t, 3>> ConfigReader::imageShape(const char* key) const
{
    const json* value = find(key);
    if (value == nullptr) {
        return std::nullopt;
    }
    if (!value->is_array() || value->size() != 3) {
        fail(key, "it must be [channels, height, width]");
    }
    std::array<std::int64_t, 3> result {};
    for (std::size_t i = 0; i < 3; ++i) {
        result[i] = checkedInteger(key, (*value)[i], 1, 1 << 16);
    }
    return result;
}

} // namespace qs
