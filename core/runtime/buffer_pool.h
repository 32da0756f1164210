#pragma once

#include <cstddef>
#include <memory>

namespace qs {

/// Memory for the values of running graphs, used again as soon as the last holder lets go, so that repeated
/// runs neither ask the system for memory nor touch fresh pages. Thread-safe; buffers may outlive the pool.
class BufferPool
{
public:
    /// limit: bytes it may hold at once, in use and kept for later.
    explicit BufferPool(std::size_t limit = static_cast<std::size_t>(-1));
    ~BufferPool();
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    /// 64-byte aligned, not initialised, at least `bytes` long. Throws Error(OutOfMemory).
    [[nodiscard]] std::shared_ptr<std::byte> take(std::size_t bytes);
    /// Gives what is not in use back to the system.
    void trim();
    /// Bytes asked of the system and not given back, in use or not.
    [[nodiscard]] std::size_t reservedBytes() const;

private:
    struct State;
    std::shared_ptr<State> m_state;
};

} // namespace qs
