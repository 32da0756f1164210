#pragma once

#include <nlohmann/json_fwd.hpp>

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace qs {

/// Checked access to one object of a configuration file. A key that is absent or null counts as not stated; a
/// value of the wrong type or outside its range throws Error(CorruptFile) naming file, key and value.
class ConfigReader
{
public:
    /// The file's top-level object. Throws Error: Io, CorruptFile.
    explicit ConfigReader(const std::filesystem::path& file);

    [[nodiscard]] const std::filesystem::path& file() const { return m_file; }
    [[nodiscard]] bool has(const char* key) const;
    [[nodiscard]] std::optional<std::int64_t> integer(
        const char* key, std::int64_t lowest, std::int64_t highest) const;
    /// A whole positive number of something a network has: 1 to 1,048,576.
    [[nodiscard]] std::optional<std::int64_t> size(const char* key) const { return integer(key, 1, 1 << 20); }
    [[nodiscard]] std::optional<double> number(const char* key, double lowest, double highest) const;
    [[nodiscard]] std::optional<std::string> text(const char* key) const;
    [[nodiscard]] std::optional<bool> flag(const char* key) const;
    /// A list of texts; empty when absent.
    [[nodiscard]] std::vector<std::string> texts(const char* key) const;
    /// A list of at most 64 whole numbers; empty when absent.
    [[nodiscard]] std::vector<std::int64_t> integers(
        const char* key, std::int64_t lowest, std::int64_t highest) const;
    /// The object under `key`; empty() when absent.
    [[nodiscard]] ConfigReader object(const char* key) const;
    [[nodiscard]] bool empty() const;
    /// Number of elements of the object or list under `key`.
    [[nodiscard]] std::optional<std::int64_t> count(const char* key) const;
    /// Three numbers.
    [[nodiscard]] std::optional<std::array<double, 3>> triple(
        const char* key, double lowest, double highest) const;
    /// {height, width}: a number for both, a list of two, or an object {"height", "width"} or
    /// {"shortest_edge"}.
    [[nodiscard]] std::optional<std::pair<std::int64_t, std::int64_t>> extent(const char* key) const;
    /// [channels, height, width].
    [[nodiscard]] std::optional<std::array<std::int64_t, 3>> imageShape(const char* key) const;
    /// Throws the Error(CorruptFile) "'file' has VALUE as KEY, but `expected`".
    [[noreturn]] void fail(const char* key, const std::string& expected) const;

private:
    ConfigReader(
        std::filesystem::path file, std::shared_ptr<const nlohmann::json> root, const nlohmann::json* object);
    [[nodiscard]] const nlohmann::json* find(const char* key) const;
    [[nodiscard]] std::int64_t checkedInteger(
        const char* key, const nlohmann::json& value, std::int64_t lowest, std::int64_t highest) const;
    [[nodiscard]] double checkedNumber(
        const char* key, const nlohmann::json& value, double lowest, double highest) const;

    std::filesystem::path m_file;
    std::shared_ptr<const nlohmann::json> m_root;
    const nlohmann::json* m_object = nullptr; ///< inside *m_root; null when absent
};

} // namespace qs
