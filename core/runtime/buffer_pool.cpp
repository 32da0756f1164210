#include "core/runtime/buffer_pool.h"

#include "core/base/error.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace qs {

namespace {

constexpr std::size_t kAlignment = 64;

/// Sizes are rounded up by at most an eighth, so that values of nearly equal size share buffers.
std::size_t sizeClass(std::size_t bytes)
{
    if (bytes <= 512) {
        return 512;
    }
    const std::size_t step = std::bit_floor(bytes) / 8;
    if (bytes > std::numeric_limits<std::size_t>::max() - step) {
        return bytes;
    }
    return (bytes + step - 1) / step * step;
}

} // namespace

struct BufferPool::State
{
    std::mutex mutex;
    std::map<std::size_t, std::vector<std::byte*>> free;
    std::size_t reserved = 0;
    std::size_t limit = 0;
    bool closed = false;

    ~State() { releaseAll(); }

    void releaseAll()
    {
        for (auto& [size, buffers] : free) {
            for (std::byte* buffer : buffers) {
                std::free(buffer);
                reserved -= size;
            }
        }
        free.clear();
    }
};

BufferPool::BufferPool(std::size_t limit)
    : m_state(std::make_shared<State>())
{
    m_state->limit = limit;
}

BufferPool::~BufferPool()
{
    const std::lock_guard lock(m_state->mutex);
    m_state->closed = true;
    m_state->releaseAll();
}

std::shared_ptr<std::byte> BufferPool::take(std::size_t bytes)
{
    const std::size_t size = sizeClass(bytes);
    std::byte* buffer = nullptr;
    {
        const std::lock_guard lock(m_state->mutex);
        auto& waiting = m_state->free[size];
        if (!waiting.empty()) {
            buffer = waiting.back();
            waiting.pop_back();
        } else if (size > m_state->limit - std::min(m_state->limit, m_state->reserved)) {
            m_state->releaseAll();
            if (size > m_state->limit - std::min(m_state->limit, m_state->reserved)) {
                throw Error(ErrorCode::OutOfMemory,
                    "a value of " + std::to_string(bytes) + " bytes is beyond the limit of "
                        + std::to_string(m_state->limit));
            }
        }
    }
    if (buffer == nullptr) {
        buffer = static_cast<std::byte*>(
            std::aligned_alloc(kAlignment, size / kAlignment * kAlignment + kAlignment));
        if (buffer == nullptr) {
            throw Error(
                ErrorCode::OutOfMemory, "no memory for a value of " + std::to_string(bytes) + " bytes");
        }
        const std::lock_guard lock(m_state->mutex);
        m_state->reserved += size;
    }
    return {buffer, [state = m_state, size](std::byte* memory) {
                const std::lock_guard lock(state->mutex);
                if (state->closed) {
                    std::free(memory);
                    state->reserved -= size;
                } else {
                    state->free[size].push_back(memory);
                }
            }};
}

void BufferPool::trim()
{
    const std::lock_guard lock(m_state->mutex);
    m_state->releaseAll();
}

std::size_t BufferPool::reservedBytes() const
{
    const std::lock_guard lock(m_state->mutex);
    return m_state->reserved;
}

} // namespace qs
