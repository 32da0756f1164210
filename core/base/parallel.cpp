#include "core/base/parallel.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>

namespace qs {

namespace {

std::atomic<int>& threadSetting()
{
    static std::atomic<int> threads = omp_get_num_procs();
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

void parallelFor(std::int64_t count, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& body)
{
    if (count <= 0) {
        return;
    }
    grain = std::max<std::int64_t>(1, grain);
    const std::int64_t ranges = (count + grain - 1) / grain;
    const int threads = static_cast<int>(std::min<std::int64_t>(threadCount(), ranges));
    if (threads == 1 || omp_in_parallel() != 0) {
        for (std::int64_t range = 0; range < ranges; ++range) {
            body(range * grain, std::min(count, (range + 1) * grain));
        }
        return;
    }
    std::exception_ptr failure;
    std::mutex failureMutex;
    std::atomic<bool> failed = false;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (std::int64_t range = 0; range < ranges; ++range) {
        if (failed.load(std::memory_order_relaxed)) {
            continue;
        }
        try {
            body(range * grain, std::min(count, (range + 1) * grain));
        } catch (...) {
            const std::lock_guard lock(failureMutex);
            if (!failure) {
                failure = std::current_exception();
            }
            failed = true;
        }
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

} // namespace qs
