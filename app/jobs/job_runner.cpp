#include "app/jobs/job_runner.h"

#include "app/session/logging.h"

#include <QThread>

#include <chrono>
#include <mutex>
#include <utility>

#ifdef Q_OS_LINUX
#include <sys/resource.h>
#endif

namespace qs {

namespace {

constexpr std::chrono::milliseconds kProgressInterval {33};
constexpr int kLiveNiceness = 5; ///< above that of the user-interface thread
constexpr int kBatchNiceness = 10;

} // namespace

/// Remembers per job when it last reported, so that a busy loop does not flood the event queue.
struct JobRunner::Throttle
{
    struct Last
    {
        std::chrono::steady_clock::time_point when;
        std::string stage;
    };
    std::mutex mutex;
    std::map<quint64, Last> last;

    bool admits(quint64 id, const Progress& progress)
    {
        const std::lock_guard lock(mutex);
        const auto now = std::chrono::steady_clock::now();
        const auto it = last.find(id);
        if (it != last.end() && it->second.stage == progress.stage
            && now - it->second.when < kProgressInterval && progress.done < progress.total) {
            return false;
        }
        last[id] = {now, progress.stage};
        return true;
    }
    void forget(quint64 id)
    {
        const std::lock_guard lock(mutex);
        last.erase(id);
    }
};

bool Failure::isCancelled() const
{
    return code == ErrorCode::Cancelled;
}

JobRunner::JobRunner(QObject* parent)
    : QObject(parent)
    , m_throttle(std::make_shared<Throttle>())
{
    m_live.setMaxThreadCount(1);
    m_batch.setMaxThreadCount(1);
    // A worker that came back would leave behind its team of threads and start another: keep them.
    m_live.setExpiryTimeout(-1);
    m_batch.setExpiryTimeout(-1);
}

JobRunner::~JobRunner()
{
    cancelAll();
    m_live.waitForDone();
    m_batch.waitForDone();
}

void JobRunner::cancel(const QString& key)
{
    for (auto& [id, job] : m_jobs) {
        if (job.key == key) {
            job.stop.request_stop();
        }
    }
}

void JobRunner::cancelAll()
{
    for (auto& [id, job] : m_jobs) {
        job.stop.request_stop();
    }
}

bool JobRunner::isRunning(const QString& key) const
{
    for (const auto& [id, job] : m_jobs) {
        if (job.key == key && !job.stop.stop_requested()) {
            return true;
        }
    }
    return false;
}

QList<JobStatus> JobRunner::jobs() const
{
    QList<JobStatus> list;
    for (const auto& [id, job] : m_jobs) {
        if (job.title.isEmpty() || job.stop.stop_requested()) {
            continue;
        }
        JobStatus status {job.key, job.title, job.progress, job.clock.elapsed(), -1};
        if (job.progress.done > 0 && job.progress.total > 0) {
            const auto left = job.progress.total - job.progress.done;
            status.remainingMs = job.stageClock.elapsed() * left / job.progress.done;
        }
        list.append(status);
    }
    return list;
}

/// Threads that a worker starts are as nice as it is.
void JobRunner::standBack(Lane lane)
{
    thread_local bool stands = false; // niceness adds up, and a worker stays in its lane
    if (std::exchange(stands, true)) {
        return;
    }
#ifdef Q_OS_LINUX
    const int own = getpriority(PRIO_PROCESS, 0); // on Linux that of the thread, where QThread cannot set it
    setpriority(PRIO_PROCESS, 0, own + (lane == Lane::Live ? kLiveNiceness : kBatchNiceness));
#else
    QThread::currentThread()->setPriority(
        lane == Lane::Live ? QThread::LowPriority : QThread::LowestPriority);
#endif
}

quint64 JobRunner::add(const QString& key, const QString& title)
{
    cancel(key);
    const quint64 id = m_nextId++;
    Job& job = m_jobs[id];
    job.key = key;
    job.title = title;
    job.clock.start();
    job.stageClock.start();
    qCDebug(lcJobs) << "start" << key;
    emit jobsChanged();
    return id;
}

void JobRunner::remove(quint64 id)
{
    m_throttle->forget(id);
    m_jobs.erase(id);
    emit jobsChanged();
}

void JobRunner::post(quint64 id, const Progress& progress)
{
    if (!m_throttle->admits(id, progress)) {
        return;
    }
    deliver([this, id, progress] {
        const auto it = m_jobs.find(id);
        if (it == m_jobs.end() || it->second.stop.stop_requested()) {
            return;
        }
        if (it->second.progress.stage != progress.stage) {
            it->second.stageClock.restart();
        }
        it->second.progress = progress;
        emit progressChanged(it->second.key, progress);
    });
}

} // namespace qs
