#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace qs {

/// Incremental SHA-256; hex() may be called once, at the end.
class Sha256
{
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    void update(std::span<const std::byte> bytes);
    /// 64 lower-case hexadecimal digits.
    [[nodiscard]] std::string hex();

private:
    struct State;
    std::unique_ptr<State> m_state;
};

[[nodiscard]] std::string sha256(std::span<const std::byte> bytes);
/// Hash of the file's bytes. Throws Error(Io).
[[nodiscard]] std::string sha256OfFile(const std::filesystem::path& path);

} // namespace qs
