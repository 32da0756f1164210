#include "core/runtime/thread_scratch.h"

#include <cstddef>
#include <vector>

namespace qs {

float* threadScratch(std::int64_t floats)
{
    constexpr std::uintptr_t kAlignment = 64;
    thread_local std::vector<float> memory;
    const std::size_t needed = static_cast<std::size_t>(floats) + kAlignment / sizeof(float);
    if (memory.size() < needed) {
        memory = std::vector<float>(needed);
    }
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    return memory.data() + (kAlignment - address % kAlignment) % kAlignment / sizeof(float);
}

} // namespace qs
