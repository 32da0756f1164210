#pragma once

#include <QObject>

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

namespace qs::test {

/// Delays of the user-interface thread in milliseconds.
struct HeartbeatFigures
{
    std::size_t beats = 0;
    double median = 0.0;
    double p99 = 0.0;
    double longest = 0.0;
    double busiest = 0.0; ///< most processor time of the thread between two answers
};

/// Measures how fast the user-interface thread answers: a thread of its own posts it an event at a fixed
/// pace, whether or not the earlier ones were answered, and every event notes how long it waited. A hang thus
/// counts as often as it would have kept a user waiting. Made and read on the thread that is measured.
class Heartbeat : public QObject
{
    Q_OBJECT
public:
    explicit Heartbeat(std::chrono::milliseconds pace = std::chrono::milliseconds(5));
    ~Heartbeat() override;

    /// Forgets what was measured so far; beats that are on their way do not count either.
    void restart();
    /// Of the answered beats. Answers what waits first.
    [[nodiscard]] HeartbeatFigures figures();
    /// The most processor time, in milliseconds, that the thread spent between two answers since the last
    /// call of this function. Unlike a delay it does not depend on what else the machine is doing.
    [[nodiscard]] double takeBusiest();

private:
    using Clock = std::chrono::steady_clock;
    void answer(Clock::time_point sent, int round);

    std::vector<double> m_delays;
    double m_processorTime = 0.0; ///< of the thread at the last answer
    double m_busiest = 0.0;
    double m_busiestSinceTaken = 0.0;
    std::atomic<int> m_round = 0; ///< beats of an earlier round do not count
    std::atomic<bool> m_stop = false;
    std::thread m_thread;
};

} // namespace qs::test
