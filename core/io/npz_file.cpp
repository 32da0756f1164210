#include "core/io/npz_file.h"

#include "core/base/error.h"
#include "core/io/npy_file.h"

#include <algorithm>
#include <limits>
#include <zlib.h>

namespace qs {

namespace {

constexpr std::uint64_t kEndSignature = 0x06054B50;
constexpr std::uint64_t kEnd64Signature = 0x06064B50;
constexpr std::uint64_t kEnd64LocatorSignature = 0x07064B50;
constexpr std::uint64_t kEntrySignature = 0x02014B50;
constexpr std::uint64_t kLocalSignature = 0x04034B50;
constexpr std::uint64_t kEndBytes = 22;
constexpr std::uint64_t kEntryBytes = 46;
constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint64_t kMaxCommentBytes = 65535;
constexpr std::uint64_t kMaxExpansion = 1032; // of deflate
constexpr std::uint64_t kIn64 = 0xFFFFFFFF; // "look in the zip64 field"

/// Unsigned little-endian number of `size` bytes; the caller has checked that they exist.
std::uint64_t number(std::span<const std::byte> bytes, std::uint64_t at, unsigned size)
{
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i) {
        value |= std::to_integer<std::uint64_t>(bytes[at + i]) << (8 * i);
    }
    return value;
}

bool fits(std::uint64_t at, std::uint64_t size, std::uint64_t end)
{
    return at <= end && size <= end - at;
}

/// Inflates a raw deflate stream into exactly `target`; false when the stream is broken or of another length.
bool inflateExactly(std::span<const std::byte> source, std::span<std::byte> target)
{
    z_stream stream {};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
        throw Error(ErrorCode::OutOfMemory, "no memory to decompress");
    }
    std::size_t consumed = 0;
    std::size_t produced = 0;
    int status = Z_OK;
    constexpr std::size_t kStep = std::numeric_limits<uInt>::max();
    while (status == Z_OK) {
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(source.data() + consumed));
        stream.avail_in = static_cast<uInt>(std::min(kStep, source.size() - consumed));
        stream.next_out = reinterpret_cast<Bytef*>(target.data() + produced);
        stream.avail_out = static_cast<uInt>(std::min(kStep, target.size() - produced));
        const uInt in = stream.avail_in;
        const uInt out = stream.avail_out;
        status = inflate(&stream, Z_NO_FLUSH); // Z_BUF_ERROR when neither side can move: ends the loop
        consumed += in - stream.avail_in;
        produced += out - stream.avail_out;
    }
    inflateEnd(&stream);
    return status == Z_STREAM_END && produced == target.size() && consumed == source.size();
}

std::uint32_t checksumOf(std::span<const std::byte> bytes)
{
    return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

} // namespace

struct NpzFile::Directory
{
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint64_t entries = 0;
    std::uint64_t end = 0; ///< where the record that follows it begins
};

NpzFile NpzFile::open(const std::filesystem::path& path)
{
    NpzFile file;
    file.m_file = MappedFile::open(path);
    file.readDirectory(file.findDirectory());
    return file;
}

std::string NpzFile::subject(const std::string& name) const
{
    return "'" + m_file->path().string() + "'"
        + (name.empty() ? "" : ", array '" + name.substr(0, 200) + "'");
}

NpzFile::Directory NpzFile::findDirectory() const
{
    const std::span<const std::byte> bytes = m_file->bytes();
    if (bytes.size() >= kEndBytes) {
        const std::uint64_t last = bytes.size() - kEndBytes;
        const std::uint64_t first = last - std::min(last, kMaxCommentBytes);
        for (std::uint64_t at = last + 1; at-- > first;) {
            if (number(bytes, at, 4) != kEndSignature
                || at + kEndBytes + number(bytes, at + 20, 2) != bytes.size()) {
                continue;
            }
            Directory found {.offset = number(bytes, at + 16, 4),
                .bytes = number(bytes, at + 12, 4),
                .entries = number(bytes, at + 10, 2),
                .end = at};
            if (at >= 20 && number(bytes, at - 20, 4) == kEnd64LocatorSignature) {
                const std::uint64_t end64 = number(bytes, at - 12, 8);
                if (!fits(end64, 56, at - 20) || number(bytes, end64, 4) != kEnd64Signature) {
                    throw Error(ErrorCode::CorruptFile, subject("") + " has a broken zip64 directory");
                }
                found = {.offset = number(bytes, end64 + 48, 8),
                    .bytes = number(bytes, end64 + 40, 8),
                    .entries = number(bytes, end64 + 32, 8),
                    .end = end64};
            }
            return found;
        }
    }
    throw Error(
        ErrorCode::CorruptFile, subject("") + " is not a whole .npz archive: its directory is missing");
}

void NpzFile::readDirectory(const Directory& directory)
{
    if (!fits(directory.offset, directory.bytes, directory.end)
        || directory.entries > directory.bytes / kEntryBytes) {
        throw Error(ErrorCode::CorruptFile,
            subject("") + " claims a directory of " + std::to_string(directory.entries) + " members and "
                + std::to_string(directory.bytes) + " bytes at " + std::to_string(directory.offset)
                + " in a file of " + std::to_string(m_file->bytes().size()) + " bytes");
    }
    std::uint64_t at = directory.offset;
    const std::uint64_t end = directory.offset + directory.bytes;
    for (std::uint64_t entry = 0; entry < directory.entries; ++entry) {
        readEntry(at, end, &at);
    }
}

void NpzFile::readEntry(std::uint64_t at, std::uint64_t end, std::uint64_t* next)
{
    const std::span<const std::byte> bytes = m_file->bytes();
    if (!fits(at, kEntryBytes, end) || number(bytes, at, 4) != kEntrySignature) {
        throw Error(
            ErrorCode::CorruptFile, subject("") + " has a broken directory at byte " + std::to_string(at));
    }
    const std::uint64_t nameBytes = number(bytes, at + 28, 2);
    const std::uint64_t extraBytes = number(bytes, at + 30, 2);
    const std::uint64_t size = kEntryBytes + nameBytes + extraBytes + number(bytes, at + 32, 2);
    if (!fits(at, size, end)) {
        throw Error(
            ErrorCode::CorruptFile, subject("") + " has a broken directory at byte " + std::to_string(at));
    }
    *next = at + size;
    std::string name(reinterpret_cast<const char*>(bytes.data()) + at + kEntryBytes, nameBytes);
    Member member {.offset = number(bytes, at + 42, 4),
        .storedBytes = number(bytes, at + 20, 4),
        .bytes = number(bytes, at + 24, 4),
        .checksum = static_cast<std::uint32_t>(number(bytes, at + 16, 4)),
        .method = static_cast<unsigned>(number(bytes, at + 10, 2))};
    // The zip64 field (tag 1) holds, in this order, only the numbers that did not fit above.
    const std::uint64_t extraEnd = at + kEntryBytes + nameBytes + extraBytes;
    for (std::uint64_t field = at + kEntryBytes + nameBytes; fits(field, 4, extraEnd);) {
        const std::uint64_t fieldEnd = std::min(extraEnd, field + 4 + number(bytes, field + 2, 2));
        std::uint64_t value = field + 4;
        for (std::uint64_t* wide : {&member.bytes, &member.storedBytes, &member.offset}) {
            if (number(bytes, field, 2) == 1 && *wide == kIn64 && fits(value, 8, fieldEnd)) {
                *wide = number(bytes, value, 8);
                value += 8;
            }
        }
        field = fieldEnd;
    }
    if (!name.ends_with(".npy")) {
        return; // np.load passes over other members too
    }
    name.resize(name.size() - 4);
    if ((number(bytes, at + 8, 2) & 1U) != 0) {
        throw Error(ErrorCode::Unsupported, subject(name) + " is encrypted");
    }
    if (!m_members.emplace(name, member).second) {
        throw Error(ErrorCode::CorruptFile, subject(name) + " occurs twice");
    }
}

std::vector<std::string> NpzFile::names() const
{
    std::vector<std::string> result;
    for (const auto& [name, member] : m_members) {
        result.push_back(name);
    }
    return result;
}

Tensor NpzFile::read(const std::string& name) const
{
    const auto found = m_members.find(name);
    if (found == m_members.end()) {
        throw Error(ErrorCode::InvalidArgument, subject("") + " has no array '" + name + "'");
    }
    const Member& member = found->second;
    const std::span<const std::byte> bytes = m_file->bytes();
    if (!fits(member.offset, kLocalBytes, bytes.size())
        || number(bytes, member.offset, 4) != kLocalSignature) {
        throw Error(ErrorCode::CorruptFile, subject(name) + " does not begin where the directory says");
    }
    const std::uint64_t start = member.offset + kLocalBytes + number(bytes, member.offset + 26, 2)
        + number(bytes, member.offset + 28, 2);
    const bool deflated = member.method == Z_DEFLATED;
    if (member.method != 0 && !deflated) {
        throw Error(ErrorCode::Unsupported,
            subject(name) + " is compressed by method " + std::to_string(member.method)
                + "; stored and deflate are read");
    }
    if (!fits(start, member.storedBytes, bytes.size())
        || (deflated ? member.bytes / kMaxExpansion > member.storedBytes
                     : member.bytes != member.storedBytes)) {
        throw Error(ErrorCode::CorruptFile,
            subject(name) + " claims " + std::to_string(member.bytes) + " bytes stored in "
                + std::to_string(member.storedBytes) + " at byte " + std::to_string(start) + " of "
                + std::to_string(bytes.size()));
    }
    std::span<const std::byte> content = bytes.subspan(start, member.storedBytes);
    std::shared_ptr<const void> owner = m_file;
    if (deflated) {
        const auto inflated
            = std::make_shared<Tensor>(DType::U8, Shape {static_cast<std::int64_t>(member.bytes)});
        const std::span<std::byte> target = std::as_writable_bytes(inflated->mutableData<std::uint8_t>());
        if (!inflateExactly(content, target)) {
            throw Error(ErrorCode::CorruptFile,
                subject(name) + " does not decompress to its " + std::to_string(member.bytes) + " bytes");
        }
        content = target;
        owner = inflated;
    }
    if (checksumOf(content) != member.checksum) {
        throw Error(ErrorCode::CorruptFile, subject(name) + " fails its checksum");
    }
    return parseNpy(content, owner, subject(name));
}

} // namespace qs
