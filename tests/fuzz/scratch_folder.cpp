#include "tests/fuzz/scratch_folder.h"

#include "core/base/error.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace qs::fuzz {

namespace fs = std::filesystem;

ScratchFolder::ScratchFolder()
{
    const fs::path memory = "/dev/shm";
    const bool usable = fs::is_directory(memory) && ::access(memory.c_str(), W_OK) == 0;
    std::string name = ((usable ? memory : fs::temp_directory_path()) / "qs-fuzz-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) {
        throw Error(ErrorCode::Io, "cannot make the folder '" + name + "': " + std::strerror(errno));
    }
    m_path = name;
}

ScratchFolder::~ScratchFolder()
{
    std::error_code ignored;
    fs::remove_all(m_path, ignored);
}

fs::path ScratchFolder::write(const std::string& name, std::span<const std::byte> bytes) const
{
    const fs::path path = m_path / name;
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written
        = file >= 0 && ::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
    if (file < 0 || ::close(file) != 0 || !written) {
        throw Error(ErrorCode::Io, "cannot write '" + path.string() + "': " + std::strerror(errno));
    }
    return path;
}

} // namespace qs::fuzz
