#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace qs {

/// One value of a JSON document together with the path to it, read with its type checked: nothing is
/// converted, and every failure is an Error(CorruptFile) that names the path ("'plan.head.weight.bits'
/// is 4.5, not a whole number"). Refers to the document, which must outlive it.
class JsonReader
{
public:
    /// `path` names the value in sentences: "" at the root.
    JsonReader(const nlohmann::json& value, std::string path);

    /// Member of an object; missing is an error.
    [[nodiscard]] JsonReader member(const char* key) const;
    /// Member that may be missing or null: an empty list, else one reader.
    [[nodiscard]] std::vector<JsonReader> optionalMember(const char* key) const;
    /// All members of an object, in key order.
    struct Member;
    [[nodiscard]] std::vector<Member> members() const;
    [[nodiscard]] bool isList() const;
    [[nodiscard]] bool isNull() const;
    /// All elements of a list.
    [[nodiscard]] std::vector<JsonReader> elements() const;

    [[nodiscard]] std::string string() const;
    [[nodiscard]] bool boolean() const;
    /// A whole number written as one, within [least, most].
    [[nodiscard]] std::int64_t integer(std::int64_t least, std::int64_t most) const;
    /// A finite number.
    [[nodiscard]] double number() const;

    /// Logs a warning for every member of an object that is not among these.
    void warnAboutOthers(std::initializer_list<const char*> known) const;
    /// "'<path>' <what>" as Error(CorruptFile).
    [[noreturn]] void fail(const std::string& what) const;

private:
    [[nodiscard]] std::string shown() const;

    const nlohmann::json* m_value;
    std::string m_path;
};

struct JsonReader::Member
{
    std::string key;
    JsonReader value;
};

} // namespace qs
