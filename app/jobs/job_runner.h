#pragma once

#include "core/base/error.h"
#include "core/base/task_context.h"

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <QThreadPool>

#include <map>
#include <stop_token>
#include <type_traits>
#include <variant>

namespace qs {

/// Why a job has no result. Cancelled is no failure to show.
struct Failure
{
    ErrorCode code = ErrorCode::Internal;
    std::string message;

    [[nodiscard]] bool isCancelled() const;
};

/// What a job ends with.
template<typename R>
using Outcome = std::variant<R, Failure>;

/// Where a job waits for its turn. Each lane runs one job at a time, so that work on shared evaluators is
/// serial and the processors are not divided among many teams of threads.
enum class Lane {
    Live, ///< answers to the user's hand: short, superseded often
    Batch ///< loading, calibration, evaluation, sensitivity, export
};

/// A job as the jobs panel shows it.
struct JobStatus
{
    QString key;
    QString title; ///< empty: not shown
    Progress progress;
    qint64 elapsedMs = 0;
    /// Milliseconds left in the current stage by its pace so far; -1 while unknown.
    qint64 remainingMs = -1;
};

/// Runs functions of core/ on worker threads; outcomes, partial results and progress arrive on the thread
/// that owns the runner. The only place of the window that catches what core/ throws. A new job cancels the
/// one with the same key; a destroyed runner cancels all and waits, and no callback comes after that.
class JobRunner : public QObject
{
    Q_OBJECT
public:
    explicit JobRunner(QObject* parent = nullptr);
    ~JobRunner() override;

    /// work(const TaskContext&) -> R runs on the lane; done(Outcome<R>) is called here exactly once.
    template<typename Work, typename Done>
    void start(Lane lane, const QString& key, const QString& title, Work work, Done done)
    {
        using R = std::invoke_result_t<Work, const TaskContext&>;
        const quint64 id = add(key, title);
        const TaskContext context {
            m_jobs.at(id).stop.get_token(), [this, id](const Progress& p) { post(id, p); }};
        pool(lane).start([this, lane, id, context, work = std::move(work), done = std::move(done)]() mutable {
            standBack(lane);
            auto outcome = guarded<R>(work, context);
            QMetaObject::invokeMethod(
                this,
                [this, id, outcome = std::move(outcome), done = std::move(done)]() mutable {
                    remove(id);
                    done(std::move(outcome));
                },
                Qt::QueuedConnection);
        });
    }

    /// Calls `deliver` on the runner's thread, in order with outcomes: for partial results of a running job.
    template<typename Deliver>
    void deliver(Deliver deliver)
    {
        QMetaObject::invokeMethod(this, std::move(deliver), Qt::QueuedConnection);
    }

    void cancel(const QString& key);
    void cancelAll();
    [[nodiscard]] bool isRunning(const QString& key) const;
    [[nodiscard]] bool isIdle() const { return m_jobs.empty(); }
    /// Titled jobs, oldest first.
    [[nodiscard]] QList<JobStatus> jobs() const;

signals:
    void jobsChanged(); ///< the set of jobs
    void progressChanged(
        const QString& key, const qs::Progress& progress); ///< at most about 30 times a second per job

private:
    struct Job
    {
        QString key;
        QString title;
        std::stop_source stop;
        Progress progress;
        QElapsedTimer clock;
        QElapsedTimer stageClock;
    };
    struct Throttle;

    template<typename R, typename Work>
    static Outcome<R> guarded(Work& work, const TaskContext& context)
    {
        try {
            context.throwIfCancelled(); // superseded while it waited
            return work(context);
        } catch (const Error& error) {
            return Failure {error.code(), error.what()};
        } catch (const std::bad_alloc&) {
            return Failure {ErrorCode::OutOfMemory, "there is not enough memory for this"};
        } catch (const std::exception& error) {
            return Failure {ErrorCode::Internal, error.what()};
        }
    }

    static void standBack(Lane lane); ///< of the calling worker, behind the user-interface thread
    quint64 add(const QString& key, const QString& title);
    void remove(quint64 id);
    void post(quint64 id, const Progress& progress); ///< on the worker's thread
    QThreadPool& pool(Lane lane) { return lane == Lane::Live ? m_live : m_batch; }

    std::map<quint64, Job> m_jobs; ///< by age
    quint64 m_nextId = 1;
    std::shared_ptr<Throttle> m_throttle;
    QThreadPool m_live;
    QThreadPool m_batch;
};

} // namespace qs
