#include "core/io/json_reader.h"

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/io/json_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace qs {

namespace {

using nlohmann::json;

std::string pathOf(const std::string& parent, const std::string& key)
{
    return parent.empty() ? key : parent + "." + key;
}

} // namespace

JsonReader::JsonReader(const json& value, std::string path)
    : m_value(&value)
    , m_path(std::move(path))
{
}

void JsonReader::fail(const std::string& what) const
{
    throw Error(ErrorCode::CorruptFile, (m_path.empty() ? "the whole" : quotedName(m_path)) + " " + what);
}

std::string JsonReader::shown() const
{
    constexpr std::size_t kLongest = 40;
    switch (m_value->type()) {
    case json::value_t::object: return "an object";
    case json::value_t::array: return "a list";
    case json::value_t::string: return quotedName(m_value->get<std::string>());
    default: return m_value->dump().substr(0, kLongest);
    }
}

JsonReader JsonReader::member(const char* key) const
{
    if (!m_value->is_object()) {
        fail("is " + shown() + ", not an object");
    }
    const auto found = m_value->find(key);
    if (found == m_value->end()) {
        fail(std::string("has no '") + key + "'");
    }
    return {*found, pathOf(m_path, key)};
}

std::vector<JsonReader> JsonReader::optionalMember(const char* key) const
{
    if (!m_value->is_object()) {
        fail("is " + shown() + ", not an object");
    }
    const auto found = m_value->find(key);
    if (found == m_value->end() || found->is_null()) {
        return {};
    }
    return {JsonReader(*found, pathOf(m_path, key))};
}

std::vector<JsonReader::Member> JsonReader::members() const
{
    if (!m_value->is_object()) {
        fail("is " + shown() + ", not an object");
    }
    std::vector<Member> list;
    for (const auto& [key, value] : m_value->items()) {
        list.push_back({key, JsonReader(value, pathOf(m_path, key))});
    }
    return list;
}

bool JsonReader::isList() const
{
    return m_value->is_array();
}

bool JsonReader::isNull() const
{
    return m_value->is_null();
}

std::vector<JsonReader> JsonReader::elements() const
{
    if (!m_value->is_array()) {
        fail("is " + shown() + ", not a list");
    }
    std::vector<JsonReader> list;
    for (std::size_t i = 0; i < m_value->size(); ++i) {
        list.emplace_back((*m_value)[i], m_path + "[" + std::to_string(i) + "]");
    }
    return list;
}

std::string JsonReader::string() const
{
    if (!m_value->is_string()) {
        fail("is " + shown() + ", not a text");
    }
    return m_value->get<std::string>();
}

bool JsonReader::boolean() const
{
    if (!m_value->is_boolean()) {
        fail("is " + shown() + ", not true or false");
    }
    return m_value->get<bool>();
}

std::int64_t JsonReader::integer(std::int64_t least, std::int64_t most) const
{
    if (!m_value->is_number_integer()) {
        fail("is " + shown() + ", not a whole number");
    }
    const bool isHuge = m_value->is_number_unsigned()
        && m_value->get<std::uint64_t>()
            > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (isHuge || m_value->get<std::int64_t>() < least || m_value->get<std::int64_t>() > most) {
        fail("is " + shown() + ", not within " + std::to_string(least) + " and " + std::to_string(most));
    }
    return m_value->get<std::int64_t>();
}

double JsonReader::number() const
{
    if (!m_value->is_number() || !std::isfinite(m_value->get<double>())) {
        fail("is " + shown() + ", not a number");
    }
    return m_value->get<double>();
}

void JsonReader::warnAboutOthers(std::initializer_list<const char*> known) const
{
    for (const Member& member : members()) {
        const bool isKnown
            = std::ranges::any_of(known, [&](std::string_view key) { return key == member.key; });
        if (!isKnown) {
            log(LogLevel::Warning, "unknown key " + quotedName(pathOf(m_path, member.key)) + " ignored");
        }
    }
}

} // namespace qs
