#pragma once

#include <cstdint>
#include <functional>

namespace qs {

/// Number of threads parallelFor() and the engine use; starts as the number of processors. Clamped to >= 1.
void setThreadCount(int threads);
[[nodiscard]] int threadCount();

/// Calls body(begin, end) for consecutive ranges of at most `grain` items that cover [0, count), possibly on several
/// threads at once. The ranges depend on count and grain alone, never on the number of threads: a body that writes
/// only its own range, or one partial result per range merged in order afterwards, gives the same bits for any
/// thread count. The first exception thrown by a body is rethrown here after all running bodies have ended.
void parallelFor(std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body);

} // namespace qs
