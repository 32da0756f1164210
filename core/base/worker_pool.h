#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace qs {

/// Threads that help whoever calls run(). The caller works too and never waits for a helper that has not
/// begun: on a busy machine it does the work alone. Idle helpers look for work for kSpinTime, so that the
/// steps of a forward pass follow each other without a system call, and then sleep. Used by several callers
/// at once.
class WorkerPool
{
public:
    using Body = std::function<void(std::int64_t)>;

    WorkerPool() = default;
    ~WorkerPool();
    WorkerPool(const WorkerPool&) = delete;
    WorkerPool& operator=(const WorkerPool&) = delete;

    /// Calls body(0) to body(items - 1), each once, on this thread and at most `helpers` others. After an
    /// exception no further item begins; the first one is rethrown when all that began have ended.
    void run(std::int64_t items, int helpers, const Body& body);
    /// True on a thread that is inside run().
    [[nodiscard]] static bool isInside();

private:
    struct Job;

    void serve();
    [[nodiscard]] Job* nextJob();
    [[nodiscard]] Job* openJob();
    void waitFor(const Job& job);
    static void work(Job& job);

    std::mutex m_mutex;
    std::condition_variable m_wake; ///< helpers asleep
    std::condition_variable m_done; ///< callers asleep
    std::vector<Job*> m_jobs;
    std::vector<std::thread> m_threads;
    std::atomic<std::uint64_t> m_epoch = 0; ///< counts jobs
    std::atomic<int> m_waiting = 0; ///< callers asleep
    bool m_stop = false;
};

} // namespace qs
