#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace qs {

/// One progress report: work items done out of `total` in the named stage (not percent).
struct Progress
{
    std::string stage;
    std::int64_t done = 0;
    std::int64_t total = 0;
};

/// What a long-running function of core/ gets from its caller. Copyable and usable from any thread.
/// Such functions call throwIfCancelled() at least every 100 ms of work and report once per work item.
struct TaskContext
{
    std::stop_token stop;
    std::function<void(const Progress&)> onProgress; ///< may be empty; called on the working thread

    void report(const std::string& stage, std::int64_t done, std::int64_t total) const
    {
        if (onProgress) {
            onProgress({stage, done, total});
        }
    }

    /// Throws Error(Cancelled) once a stop was requested.
    void throwIfCancelled() const;
};

} // namespace qs
