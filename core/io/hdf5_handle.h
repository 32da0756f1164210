#pragma once

#include "core/base/error.h"

#include <cstdint>
#include <string>
#include <utility>

namespace qs {

/// Owns one identifier of the HDF5 library and closes it with the function that fits its kind. Internal to
/// core/io.
class Hdf5Handle
{
public:
    using Close = int (*)(std::int64_t);

    Hdf5Handle() = default;
    /// Takes over `id`; a negative one (the library's failure) leaves the handle invalid.
    Hdf5Handle(std::int64_t id, Close close)
        : m_id(id)
        , m_close(close)
    {
    }
    Hdf5Handle(Hdf5Handle&& other) noexcept
        : m_id(std::exchange(other.m_id, kNone))
        , m_close(other.m_close)
    {
    }
    Hdf5Handle& operator=(Hdf5Handle&& other) noexcept;
    ~Hdf5Handle() { reset(); }

    [[nodiscard]] bool valid() const { return m_id >= 0; }
    [[nodiscard]] std::int64_t id() const { return m_id; }
    /// Closes now; false when the library reports a failure (a write that could not reach the disk).
    bool reset();

private:
    static constexpr std::int64_t kNone = -1;

    std::int64_t m_id = kNone;
    Close m_close = nullptr;
};

/// Stops the library from printing its errors on the calling thread. Called before every use; costs nothing
/// again.
void silenceHdf5();

/// The innermost reason on the calling thread's HDF5 error stack, e.g. "truncated file: eof = 96, …"; empty
/// when the stack is. Clears the stack.
[[nodiscard]] std::string takeHdf5Reason();

/// Throws Error(code) with the sentence "<what>: <the library's reason>".
[[noreturn]] void throwHdf5(ErrorCode code, const std::string& what);

} // namespace qs
