#include "core/base/parallel.h"

#include "core/base/worker_pool.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace qs {

namespace {

std::atomic<int>& threadSetting()
{
    static std::atomic<int> threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    return threads;
}

} // namespace

void setThreadCount(int threads)
{
    threadSetting() = std::max(1, threads);
}

int threadCount()
{
    return threadSetting();
}

void parallelFor(
    std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body)
{
    if (count <= 0) {
        return;
    }
    grain = std::max<std::int64_t>(1, grain);
    const std::int64_t ranges = (count + grain - 1) / grain;
    const int threads = static_cast<int>(std::min<std::int64_t>(threadCount(), ranges));
    const auto runRange
        = [&](std::int64_t range) { body(range * grain, std::min(count, (range + 1) * grain)); };
    if (threads == 1 || WorkerPool::isInside()) {
        for (std::int64_t range = 0; range < ranges; ++range) {
            runRange(range);
        }
        return;
    }
    static WorkerPool pool;
    pool.run(ranges, threads - 1, runRange);
}

} // namespace qs
