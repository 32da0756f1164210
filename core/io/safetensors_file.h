#pragma once

#include "core/base/mapped_file.h"
#include "core/tensor/tensor.h"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace qs {

/// What the header of a safetensors file says about one tensor; checked against the file.
struct SafetensorsEntry
{
    std::string name;
    DType dtype = DType::F32;
    Shape shape;
    std::uint64_t begin = 0; ///< bytes from the start of the payload
    std::uint64_t end = 0;
};

/// A memory-mapped safetensors file: 8 bytes little-endian header length, a JSON header
/// {"name": {"dtype", "shape", "data_offsets": [begin, end]}, "__metadata__": {string: string}}, then the
/// payload. As the format demands, the tensors must cover the payload without gap or overlap.
class SafetensorsFile
{
public:
    /// Maps the file and checks the whole header. Throws Error: Io, CorruptFile, Unsupported (an element type
    /// this program does not know); the sentence names file, tensor and numbers.
    explicit SafetensorsFile(const std::filesystem::path& path);

    /// Ascending by name.
    [[nodiscard]] const std::vector<SafetensorsEntry>& entries() const { return m_entries; }
    /// Null when there is no tensor of that name.
    [[nodiscard]] const SafetensorsEntry* find(std::string_view name) const;
    /// A view of the mapped bytes, which live as long as any tensor. Throws Error(CorruptFile) when there is
    /// none.
    [[nodiscard]] Tensor tensor(std::string_view name) const;
    [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return m_metadata; }
    [[nodiscard]] const std::filesystem::path& path() const { return m_file->path(); }
    /// The whole file, for hashing.
    [[nodiscard]] std::span<const std::byte> bytes() const { return m_file->bytes(); }

private:
    std::shared_ptr<const MappedFile> m_file;
    std::span<const std::byte> m_payload;
    std::vector<SafetensorsEntry> m_entries;
    std::map<std::string, std::string> m_metadata;
};

} // namespace qs
