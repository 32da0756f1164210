#pragma once

#include "core/base/mapped_file.h"
#include "core/tensor/tensor.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace qs {

/// A NumPy .npz archive: a zip file of .npy members, stored or deflated, also in zip64 form. Immutable;
/// reading from several threads is safe.
class NpzFile
{
public:
    /// Reads the directory of the archive and checks it against the file's size; reads no member yet.
    /// Throws Error(Io | CorruptFile | Unsupported).
    [[nodiscard]] static NpzFile open(const std::filesystem::path& path);

    /// Names of the arrays, without ".npy", sorted.
    [[nodiscard]] std::vector<std::string> names() const;
    [[nodiscard]] bool contains(const std::string& name) const { return m_members.contains(name); }
    /// Decompresses one array and checks its CRC-32. Throws Error(CorruptFile | Unsupported |
    /// InvalidArgument).
    [[nodiscard]] Tensor read(const std::string& name) const;

private:
    struct Member
    {
        std::uint64_t offset = 0; ///< of the local header
        std::uint64_t storedBytes = 0;
        std::uint64_t bytes = 0;
        std::uint32_t checksum = 0;
        unsigned method = 0;
    };
    struct Directory;

    NpzFile() = default;
    [[nodiscard]] Directory findDirectory() const;
    void readDirectory(const Directory& directory);
    void readEntry(std::uint64_t at, std::uint64_t end, std::uint64_t* next);
    [[nodiscard]] std::string subject(const std::string& name) const;

    std::shared_ptr<const MappedFile> m_file;
    std::map<std::string, Member> m_members;
};

} // namespace qs
