#include "core/io/hdf5_handle.h"

#include <hdf5.h>

#include <type_traits>

namespace qs {

static_assert(std::is_same_v<hid_t, std::int64_t> && std::is_same_v<herr_t, int>);

Hdf5Handle& Hdf5Handle::operator=(Hdf5Handle&& other) noexcept
{
    if (this != &other) {
        reset();
        m_id = std::exchange(other.m_id, kNone);
        m_close = other.m_close;
    }
    return *this;
}

bool Hdf5Handle::reset()
{
    const std::int64_t id = std::exchange(m_id, kNone);
    return id < 0 || m_close == nullptr || m_close(id) >= 0;
}

void silenceHdf5()
{
    thread_local bool silent = false; // the thread-safe library keeps this setting per thread
    if (!silent) {
        H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
        silent = true;
    }
}

namespace {

herr_t keepDescription(unsigned, const H5E_error2_t* entry, void* target)
{
    auto& text = *static_cast<std::string*>(target);
    if (text.empty() && entry->desc != nullptr) {
        text = entry->desc;
    }
    return 0;
}

} // namespace

std::string takeHdf5Reason()
{
    std::string reason;
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keepDescription, &reason);
    H5Eclear2(H5E_DEFAULT);
    while (!reason.empty() && (reason.back() == '\n' || reason.back() == '.')) {
        reason.pop_back();
    }
    return reason;
}

void throwHdf5(ErrorCode code, const std::string& what)
{
    const std::string reason = takeHdf5Reason();
    throw Error(code, reason.empty() ? what : what + ": " + reason);
}

} // namespace qs
