#include "core/base/mapped_file.h"

#include "core/base/error.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace qs {

namespace {

/// Closes a descriptor when the scope ends; the mapping itself outlives it.
struct Descriptor
{
    int value;
    ~Descriptor()
    {
        if (value >= 0) {
            ::close(value);
        }
    }
};

Error systemError(const std::filesystem::path& path, const char* action)
{
    return Error(ErrorCode::Io, "cannot " + std::string(action) + " '" + path.string() + "': " + std::strerror(errno));
}

} // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path)
{
    const Descriptor file {::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.value < 0) {
        throw systemError(path, "open");
    }
    struct stat status = {};
    if (::fstat(file.value, &status) != 0) {
        throw systemError(path, "examine");
    }
    if (!S_ISREG(status.st_mode)) {
        throw Error(ErrorCode::Io, "'" + path.string() + "' is not a regular file");
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    std::span<const std::byte> bytes;
    if (size > 0) {
        void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
        if (address == MAP_FAILED) {
            throw systemError(path, "map");
        }
        bytes = {static_cast<const std::byte*>(address), size};
    }
    return std::shared_ptr<const MappedFile>(new MappedFile(path, bytes));
}

MappedFile::MappedFile(std::filesystem::path path, std::span<const std::byte> bytes)
    : m_path(std::move(path))
    , m_bytes(bytes)
{
}

MappedFile::~MappedFile()
{
    if (!m_bytes.empty()) {
        ::munmap(const_cast<std::byte*>(m_bytes.data()), m_bytes.size());
    }
}

} // namespace qs
