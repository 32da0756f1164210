#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

namespace qs {

/// A whole file mapped read-only. Tensors that point into it share its ownership, so it lives as long as they
/// do.
class MappedFile
{
public:
    /// Throws Error(Io) when the file cannot be opened or mapped. An empty file maps to an empty span.
    [[nodiscard]] static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);

    /// Takes the pages that `bytes` touches out of this process's memory where they belong to a mapped file:
    /// reading them again brings them back from the file. Any other memory is left alone. Thread-safe.
    static void release(std::span<const std::byte> bytes);

    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    [[nodiscard]] std::span<const std::byte> bytes() const { return m_bytes; }
    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }

private:
    MappedFile(std::filesystem::path path, std::span<const std::byte> bytes);

    std::filesystem::path m_path;
    std::span<const std::byte> m_bytes;
};

} // namespace qs
