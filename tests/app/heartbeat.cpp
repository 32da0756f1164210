#include "tests/app/heartbeat.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <utility>

namespace qs::test {

namespace {

/// Of the calling thread, in milliseconds.
double processorTime()
{
    timespec time {};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return 1e3 * static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_nsec);
}

} // namespace

Heartbeat::Heartbeat(std::chrono::milliseconds pace)
    : m_processorTime(processorTime())
    , m_thread([this, pace] {
        Clock::time_point next = Clock::now();
        while (!m_stop) {
            const Clock::time_point sent = Clock::now();
            const int round = m_round;
            QMetaObject::invokeMethod(
                this, [this, sent, round] { answer(sent, round); }, Qt::QueuedConnection);
            next = std::max(next + pace, sent);
            std::this_thread::sleep_until(next);
        }
    })
{
}

Heartbeat::~Heartbeat()
{
    m_stop = true;
    m_thread.join();
}

void Heartbeat::restart()
{
    ++m_round;
    m_delays.clear();
    m_processorTime = processorTime();
    m_busiest = 0.0;
    m_busiestSinceTaken = 0.0;
}

void Heartbeat::answer(Clock::time_point sent, int round)
{
    const double spent = processorTime();
    const double busy = spent - std::exchange(m_processorTime, spent);
    if (round != m_round) {
        return;
    }
    m_busiest = std::max(m_busiest, busy);
    m_busiestSinceTaken = std::max(m_busiestSinceTaken, busy);
    const double delay = std::chrono::duration<double, std::milli>(Clock::now() - sent).count();
    m_delays.push_back(delay);
}

double Heartbeat::takeBusiest()
{
    QCoreApplication::sendPostedEvents(this);
    return std::exchange(m_busiestSinceTaken, 0.0);
}

HeartbeatFigures Heartbeat::figures()
{
    QCoreApplication::sendPostedEvents(this);
    if (m_delays.empty()) {
        return {};
    }
    std::vector<double> sorted = m_delays;
    std::ranges::sort(sorted);
    const auto at = [&sorted](double share) {
        const auto index = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
        return sorted[std::min(std::max<std::size_t>(index, 1), sorted.size()) - 1];
    };
    return {sorted.size(), at(0.5), at(0.99), sorted.back(), m_busiest};
}

} // namespace qs::test
