#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace qs {

/// A file that appears whole or not at all: write to temporaryPath(), then commit() (fsync + rename). Destroyed
/// without commit(), it removes the temporary file and leaves an earlier file of that name as it was.
class AtomicFile
{
public:
    /// The temporary lies in the target's folder. Throws Error(Io) when that folder does not exist.
    explicit AtomicFile(std::filesystem::path target);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    [[nodiscard]] const std::filesystem::path& temporaryPath() const { return m_temporary; }
    /// Throws Error(Io); the target is then unchanged.
    void commit();

private:
    std::filesystem::path m_target;
    std::filesystem::path m_temporary;
    bool m_committed = false;
};

/// Writes the bytes as one atomic file. Throws Error(Io).
void writeFileAtomically(const std::filesystem::path& target, std::span<const std::byte> bytes);
void writeFileAtomically(const std::filesystem::path& target, std::string_view text);

} // namespace qs
