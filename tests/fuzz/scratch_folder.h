#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace qs::fuzz {

/// A folder of this process in memory (/dev/shm, else the temporary folder), removed at the end: for readers
/// that take a path.
class ScratchFolder
{
public:
    ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder();

    [[nodiscard]] const std::filesystem::path& path() const { return m_path; }
    /// Writes or overwrites a file and returns its path. Throws Error(Io).
    std::filesystem::path write(const std::string& name, std::span<const std::byte> bytes) const;

private:
    std::filesystem::path m_path;
};

} // namespace qs::fuzz
