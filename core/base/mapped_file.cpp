#include "core/base/mapped_file.h"

#include "core/base/error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
    return Error(
        ErrorCode::Io, "cannot " + std::string(action) + " '" + path.string() + "': " + std::strerror(errno));
}

/// What is mapped now: first byte to one past the last. Never destroyed, since mapped files may outlive any
/// static.
struct Mappings
{
    std::mutex mutex;
    std::map<const std::byte*, const std::byte*> ranges;

    static Mappings& instance()
    {
        static auto* mappings = new Mappings;
        return *mappings;
    }
};

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
    if (!m_bytes.empty()) {
        Mappings& mappings = Mappings::instance();
        const std::lock_guard lock(mappings.mutex);
        mappings.ranges[m_bytes.data()] = m_bytes.data() + m_bytes.size();
    }
}

void MappedFile::release(std::span<const std::byte> bytes)
{
    if (bytes.empty()) {
        return;
    }
    const std::byte* const first = bytes.data();
    const std::byte* const end = first + bytes.size();
    Mappings& mappings = Mappings::instance();
    const std::lock_guard lock(mappings.mutex); // held while advising, so that the mapping cannot go away
    auto it = mappings.ranges.upper_bound(first);
    if (it == mappings.ranges.begin() || end > (--it)->second) {
        return;
    }
    static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t before = static_cast<std::size_t>(first - it->first) % page; // mappings begin on a page
    ::madvise(const_cast<std::byte*>(first - before), bytes.size() + before, MADV_DONTNEED);
}

MappedFile::~MappedFile()
{
    if (!m_bytes.empty()) {
        Mappings& mappings = Mappings::instance();
        const std::lock_guard lock(mappings.mutex);
        mappings.ranges.erase(m_bytes.data());
        ::munmap(const_cast<std::byte*>(m_bytes.data()), m_bytes.size());
    }
}

} // namespace qs
