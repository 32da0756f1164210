#include "core/base/worker_pool.h"

#include <algorithm>
#include <chrono>

namespace qs {

namespace {

constexpr std::chrono::microseconds kSpinTime {100};
constexpr int kPauses = 64; // between two looks at the clock

thread_local bool t_isInside = false;

void pauseProcessor()
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    std::this_thread::yield();
#endif
}

/// Waits actively until done() or kSpinTime has passed.
template<typename Done>
void spinUntil(const Done& done)
{
    const auto end = std::chrono::steady_clock::now() + kSpinTime;
    do {
        for (int i = 0; i < kPauses; ++i) {
            if (done()) {
                return;
            }
            pauseProcessor();
        }
    } while (std::chrono::steady_clock::now() < end);
}

} // namespace

/// Lives on its caller's stack. Helpers join it under the pool's mutex while it is listed; the last thing a
/// helper does with it is to decrease `active`.
struct WorkerPool::Job
{
    const Body& body;
    std::int64_t items;
    int helpers; ///< that may still join
    std::atomic<std::int64_t> next = 0;
    std::atomic<int> active = 0; ///< helpers inside
    std::atomic<bool> failed = false;
    std::mutex failureMutex {};
    std::exception_ptr failure {};
};

WorkerPool::~WorkerPool()
{
    {
        const std::lock_guard lock(m_mutex);
        m_stop = true;
        ++m_epoch;
    }
    m_wake.notify_all();
    for (std::thread& thread : m_threads) {
        thread.join();
    }
}

bool WorkerPool::isInside()
{
    return t_isInside;
}

void WorkerPool::run(std::int64_t items, int helpers, const Body& body)
{
    Job job {body, items, helpers};
    {
        const std::lock_guard lock(m_mutex);
        while (m_threads.size() < static_cast<std::size_t>(helpers)) {
            m_threads.emplace_back([this] { serve(); });
        }
        m_jobs.push_back(&job);
        ++m_epoch;
    }
    m_wake.notify_all();
    t_isInside = true;
    work(job);
    t_isInside = false;
    {
        const std::lock_guard lock(m_mutex);
        std::erase(m_jobs, &job);
    }
    waitFor(job);
    if (job.failure) {
        std::rethrow_exception(job.failure);
    }
}

void WorkerPool::work(Job& job)
{
    for (std::int64_t item = job.next++; item < job.items && !job.failed; item = job.next++) {
        try {
            job.body(item);
        } catch (...) {
            const std::lock_guard lock(job.failureMutex);
            if (!job.failure) {
                job.failure = std::current_exception();
            }
            job.failed = true;
        }
    }
}

void WorkerPool::waitFor(const Job& job)
{
    const auto isDone = [&job] { return job.active == 0; };
    spinUntil(isDone);
    if (!isDone()) {
        std::unique_lock lock(m_mutex);
        ++m_waiting;
        m_done.wait(lock, isDone);
        --m_waiting;
    }
}

void WorkerPool::serve()
{
    t_isInside = true;
    while (Job* job = nextJob()) {
        work(*job);
        if (--job->active == 0 && m_waiting > 0) {
            {
                const std::lock_guard lock(m_mutex);
            } // the caller is before its test, or asleep
            m_done.notify_all();
        }
    }
}

WorkerPool::Job* WorkerPool::nextJob()
{
    std::unique_lock lock(m_mutex);
    for (;;) {
        Job* job = openJob();
        if (job != nullptr || m_stop) {
            return job;
        }
        const std::uint64_t seen = m_epoch;
        lock.unlock();
        spinUntil([&] { return m_epoch != seen; });
        lock.lock();
        m_wake.wait(lock, [&] { return m_epoch != seen; });
    }
}

WorkerPool::Job* WorkerPool::openJob()
{
    for (Job* job : m_jobs) {
        if (job->helpers > 0 && job->next < job->items) {
            --job->helpers;
            ++job->active;
            return job;
        }
    }
    return nullptr;
}

} // namespace qs
