#include "core/base/atomic_file.h"

#include "core/base/error.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace qs {

namespace {

void flushToDisk(const std::filesystem::path& path)
{
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 || ::fsync(descriptor) != 0) {
        const int reason = errno;
        if (descriptor >= 0) {
            ::close(descriptor);
        }
        throw Error(ErrorCode::Io, "cannot flush '" + path.string() + "': " + std::strerror(reason));
    }
    ::close(descriptor);
}

} // namespace

AtomicFile::AtomicFile(std::filesystem::path target)
    : m_target(std::move(target))
{
    static std::atomic<unsigned> serial = 0;
    const auto folder = m_target.has_parent_path() ? m_target.parent_path() : std::filesystem::path(".");
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error)) {
        throw Error(ErrorCode::Io, "cannot write '" + m_target.string() + "': its folder does not exist");
    }
    m_temporary = folder
        / ("." + m_target.filename().string() + "." + std::to_string(::getpid()) + "." + std::to_string(serial++)
            + ".tmp");
}

AtomicFile::~AtomicFile()
{
    if (!m_committed) {
        std::error_code ignored;
        std::filesystem::remove(m_temporary, ignored);
    }
}

void AtomicFile::commit()
{
    flushToDisk(m_temporary);
    std::error_code error;
    std::filesystem::rename(m_temporary, m_target, error);
    if (error) {
        throw Error(ErrorCode::Io, "cannot write '" + m_target.string() + "': " + error.message());
    }
    m_committed = true;
}

void writeFileAtomically(const std::filesystem::path& target, std::span<const std::byte> bytes)
{
    AtomicFile file(target);
    {
        std::ofstream stream(file.temporaryPath(), std::ios::binary | std::ios::trunc);
        stream.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        stream.close();
        if (!stream) {
            throw Error(ErrorCode::Io, "cannot write '" + target.string() + "': " + std::strerror(errno));
        }
    }
    file.commit();
}

void writeFileAtomically(const std::filesystem::path& target, std::string_view text)
{
    writeFileAtomically(target, std::as_bytes(std::span(text.data(), text.size())));
}

} // namespace qs
