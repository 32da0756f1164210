#include "core/io/safetensors_file.h"

#include "core/base/error.h"
#include "core/io/json_text.h"
#include "core/io/safetensors_header.h"

#include <algorithm>

namespace qs {

namespace {

constexpr std::uint64_t kPrefixSize = 8; ///< the header's length
constexpr std::uint64_t kMaxHeaderSize = 100'000'000; ///< the limit of the format's reference reader

std::uint64_t headerLength(std::span<const std::byte> bytes)
{
    std::uint64_t length = 0;
    for (std::size_t i = kPrefixSize; i-- > 0;) {
        length = length << 8U | std::to_integer<std::uint64_t>(bytes[i]);
    }
    return length;
}

std::string_view headerText(const MappedFile& file)
{
    const auto bytes = file.bytes();
    const std::string name = "'" + file.path().string() + "'";
    const std::string size = std::to_string(bytes.size());
    if (bytes.size() < kPrefixSize) {
        throw Error(ErrorCode::CorruptFile,
            name + " has " + size + " bytes, fewer than the 8 that begin a safetensors file");
    }
    const std::uint64_t length = headerLength(bytes);
    if (length > bytes.size() - kPrefixSize) {
        throw Error(ErrorCode::CorruptFile,
            name + " announces a header of " + std::to_string(length) + " bytes, but has only " + size
                + " bytes: it is truncated or no safetensors file");
    }
    if (length > kMaxHeaderSize) {
        throw Error(ErrorCode::CorruptFile,
            name + " has a header of " + std::to_string(length) + " bytes, more than the limit of "
                + std::to_string(kMaxHeaderSize));
    }
    return {reinterpret_cast<const char*>(bytes.data()) + kPrefixSize, static_cast<std::size_t>(length)};
}

/// The tensors must follow each other from byte 0 to the last byte of the payload.
void checkCoverage(
    const std::vector<SafetensorsEntry>& entries, std::uint64_t payload, const std::filesystem::path& path)
{
    std::vector<const SafetensorsEntry*> ordered;
    ordered.reserve(entries.size());
    for (const SafetensorsEntry& entry : entries) {
        if (entry.end > payload) {
            throw Error(ErrorCode::CorruptFile,
                "tensor " + quotedName(entry.name) + " of '" + path.string() + "' ends at byte "
                    + std::to_string(entry.end) + " of the data, which has only " + std::to_string(payload)
                    + " bytes");
        }
        ordered.push_back(&entry);
    }
    std::ranges::sort(ordered, [](const auto* a, const auto* b) {
        return std::pair(a->begin, a->end) < std::pair(b->begin, b->end);
    });
    std::uint64_t covered = 0;
    for (const SafetensorsEntry* entry : ordered) {
        if (entry->begin != covered) {
            throw Error(ErrorCode::CorruptFile,
                "tensor " + quotedName(entry->name) + " of '" + path.string() + "' begins at byte "
                    + std::to_string(entry->begin) + " of the data, "
                    + (entry->begin < covered ? "inside" : "after a gap behind")
                    + " the tensor before it, which ends at " + std::to_string(covered));
        }
        covered = entry->end;
    }
    if (covered != payload) {
        throw Error(ErrorCode::CorruptFile,
            "'" + path.string() + "' has " + std::to_string(payload)
                + " bytes of data, but its tensors use only " + std::to_string(covered));
    }
}

} // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : m_file(MappedFile::open(path))
{
    const std::string_view text = headerText(*m_file);
    SafetensorsHeader header = parseSafetensorsHeader(text, path);
    m_entries = std::move(header.entries);
    m_metadata = std::move(header.metadata);
    m_payload = m_file->bytes().subspan(kPrefixSize + text.size());

    std::ranges::sort(m_entries, {}, &SafetensorsEntry::name);
    const auto twice = std::ranges::adjacent_find(m_entries, {}, &SafetensorsEntry::name);
    if (twice != m_entries.end()) {
        throw Error(ErrorCode::CorruptFile,
            "'" + path.string() + "' describes the tensor " + quotedName(twice->name) + " twice");
    }
    checkCoverage(m_entries, m_payload.size(), path);
}

const SafetensorsEntry* SafetensorsFile::find(std::string_view name) const
{
    const auto it = std::ranges::lower_bound(m_entries, name, {}, &SafetensorsEntry::name);
    return it != m_entries.end() && it->name == name ? &*it : nullptr;
}

Tensor SafetensorsFile::tensor(std::string_view name) const
{
    const SafetensorsEntry* entry = find(name);
    if (entry == nullptr) {
        throw Error(ErrorCode::CorruptFile, "'" + path().string() + "' lacks the tensor " + quotedName(name));
    }
    const auto begin = static_cast<std::size_t>(entry->begin);
    return {entry->dtype, entry->shape, m_file,
        m_payload.subspan(begin, static_cast<std::size_t>(entry->end) - begin)};
}

} // namespace qs
