#pragma once

#include "core/runtime/execution_profile.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace qs {

/// Stopwatch of one step: wall time since it was made, and what all threads together spent on each of the
/// step's parts. Does nothing without a profile.
class StepClock
{
public:
    StepClock(ExecutionProfile* profile, std::size_t parts)
        : m_profile(profile)
        , m_spent(profile == nullptr ? 0 : parts)
    {
        resume();
    }

    [[nodiscard]] bool isActive() const { return m_profile != nullptr; }

    /// Runs f() and books its time to a part; from any thread.
    template<typename F>
    void measure(std::size_t part, const F& f)
    {
        if (m_profile == nullptr) {
            f();
            return;
        }
        const auto start = Clock::now();
        f();
        m_spent[part] += std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
    }

    /// Leaves out what happens until resume().
    void pause();
    void resume();

    /// A part as finish() reports it.
    struct Part
    {
        const Node* node = nullptr; ///< null: a transform
        double operations = 0.0;
    };
    /// Splits the wall time over the parts and adds it to the profile.
    void finish(std::span<const Part> parts);

private:
    using Clock = std::chrono::steady_clock;

    ExecutionProfile* m_profile;
    std::vector<std::atomic<std::int64_t>> m_spent; ///< nanoseconds
    Clock::time_point m_start {};
    double m_wall = 0.0;
};

} // namespace qs
