#pragma once

// Replaces the program's operator new and delete by ones that count. Include it in exactly one source of a
// test.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <malloc.h>
#include <new>

namespace qs::test {

inline std::atomic<std::ptrdiff_t> liveBytes {0};
inline std::atomic<std::ptrdiff_t> peakBytes {0};

/// Highest number of bytes allocated at once during its life, beyond what was allocated when it began.
class PeakAllocation
{
public:
    PeakAllocation()
        : m_before(liveBytes)
    {
        peakBytes = m_before;
    }
    [[nodiscard]] std::ptrdiff_t bytes() const { return peakBytes - m_before; }

private:
    std::ptrdiff_t m_before;
};

inline void* countedAllocation(std::size_t size)
{
    void* memory = std::malloc(std::max<std::size_t>(size, 1));
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    const std::ptrdiff_t live = liveBytes += static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
    peakBytes = std::max<std::ptrdiff_t>(peakBytes, live);
    return memory;
}

inline void countedRelease(void* memory) noexcept
{
    if (memory != nullptr) {
        liveBytes -= static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
    }
    std::free(memory);
}

} // namespace qs::test

void* operator new(std::size_t size)
{
    return qs::test::countedAllocation(size);
}
void* operator new[](std::size_t size)
{
    return qs::test::countedAllocation(size);
}
void operator delete(void* memory) noexcept
{
    qs::test::countedRelease(memory);
}
void operator delete[](void* memory) noexcept
{
    qs::test::countedRelease(memory);
}
void operator delete(void* memory, std::size_t) noexcept
{
    qs::test::countedRelease(memory);
}
void operator delete[](void* memory, std::size_t) noexcept
{
    qs::test::countedRelease(memory);
}
