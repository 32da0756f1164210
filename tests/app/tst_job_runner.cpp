#include "app/jobs/job_runner.h"

#include <QSignalSpy>
#include <QTest>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>

#ifdef Q_OS_LINUX
#include <sys/resource.h>
#endif

using namespace qs;
using namespace std::chrono_literals;

namespace {

int waitUntilStopped(const TaskContext& context)
{
    for (;;) {
        context.throwIfCancelled();
        std::this_thread::sleep_for(1ms);
    }
}

} // namespace

class TestJobRunner : public QObject
{
    Q_OBJECT
private slots:
    void deliversTheResultOnTheOwnersThread()
    {
        JobRunner runner;
        std::optional<int> result;
        const QThread* where = nullptr;
        runner.start(
            Lane::Batch, QStringLiteral("answer"), QString(), [](const TaskContext&) { return 42; },
            [&](Outcome<int> outcome) {
                result = std::get<int>(outcome);
                where = QThread::currentThread();
            });
        QVERIFY(!result); // never from inside start()
        QTRY_COMPARE(result, std::optional(42));
        QCOMPARE(where, thread());
        QVERIFY(runner.isIdle());
    }
    void workersStandBehindTheInterface()
    {
#ifdef Q_OS_LINUX
        constexpr int kNicest = 19;
        JobRunner runner;
        const int own = getpriority(PRIO_PROCESS, 0); // on Linux that of the calling thread
        const auto niceness = [&runner](Lane lane) {
            std::optional<int> found;
            runner.start(
                lane, QStringLiteral("niceness"), QString(),
                [](const TaskContext&) { return getpriority(PRIO_PROCESS, 0); },
                [&found](Outcome<int> outcome) { found = std::get<int>(outcome); });
            return QTest::qWaitFor([&found] { return found.has_value(); }) ? *found : -1;
        };
        for (int again = 0; again < 2; ++again) { // it does not add up
            QCOMPARE(niceness(Lane::Live), std::min(own + 5, kNicest));
            QCOMPARE(niceness(Lane::Batch), std::min(own + 10, kNicest));
        }
        QCOMPARE(getpriority(PRIO_PROCESS, 0), own);
#else
        QSKIP("told by the niceness of Linux threads");
#endif
    }
    void turnsExceptionsIntoFailures()
    {
        JobRunner runner;
        std::vector<ErrorCode> codes;
        const auto done = [&](Outcome<int> outcome) { codes.push_back(std::get<Failure>(outcome).code); };
        runner.start(
            Lane::Batch, QStringLiteral("a"), QString(),
            [](const TaskContext&) -> int { throw Error(ErrorCode::CorruptFile, "no magic"); }, done);
        runner.start(
            Lane::Batch, QStringLiteral("b"), QString(),
            [](const TaskContext&) -> int { throw std::bad_alloc(); }, done);
        runner.start(
            Lane::Batch, QStringLiteral("c"), QString(),
            [](const TaskContext&) -> int { throw std::runtime_error("odd"); }, done);
        QTRY_COMPARE(codes.size(), std::size_t {3});
        QCOMPARE(codes, (std::vector {ErrorCode::CorruptFile, ErrorCode::OutOfMemory, ErrorCode::Internal}));
    }
    void cancelEndsAJobAsCancelled()
    {
        JobRunner runner;
        std::optional<ErrorCode> code;
        runner.start(Lane::Batch, QStringLiteral("long"), QString(), waitUntilStopped,
            [&](Outcome<int> outcome) { code = std::get<Failure>(outcome).code; });
        QVERIFY(runner.isRunning(QStringLiteral("long")));
        runner.cancel(QStringLiteral("long"));
        QVERIFY(!runner.isRunning(QStringLiteral("long")));
        QTRY_COMPARE(code, std::optional(ErrorCode::Cancelled));
    }
    void aNewJobSupersedesTheOneWithItsKey()
    {
        JobRunner runner;
        QStringList ends;
        const auto done = [&](Outcome<int> outcome) {
            ends.append(
                std::holds_alternative<int>(outcome) ? QStringLiteral("done") : QStringLiteral("cancelled"));
        };
        runner.start(Lane::Live, QStringLiteral("drag"), QString(), waitUntilStopped, done);
        for (int i = 0; i < 20; ++i) { // a fast hand: all but the last are dropped before they begin
            runner.start(Lane::Live, QStringLiteral("drag"), QString(), waitUntilStopped, done);
        }
        runner.start(
            Lane::Live, QStringLiteral("drag"), QString(), [](const TaskContext&) { return 1; }, done);
        QTRY_COMPARE(ends.size(), 22);
        QCOMPARE(ends.count(QStringLiteral("cancelled")), 21);
        QCOMPARE(ends.last(), QStringLiteral("done"));
    }
    void jobsOfOneLaneNeverOverlap()
    {
        JobRunner runner;
        std::atomic<int> inside = 0;
        std::atomic<bool> overlapped = false;
        int finished = 0;
        for (int i = 0; i < 10; ++i) {
            runner.start(
                Lane::Batch, QString::number(i), QString(),
                [&](const TaskContext&) {
                    overlapped = overlapped || ++inside > 1;
                    std::this_thread::sleep_for(2ms);
                    --inside;
                    return 0;
                },
                [&](Outcome<int>) { ++finished; });
        }
        QTRY_COMPARE(finished, 10);
        QVERIFY(!overlapped);
    }
    void destructionStopsAndWaitsAndCallsNobody()
    {
        std::atomic<bool> left = false;
        {
            JobRunner runner;
            std::atomic<bool> entered = false;
            runner.start(
                Lane::Batch, QStringLiteral("a"), QString(),
                [&](const TaskContext& context) {
                    entered = true;
                    while (!context.stop.stop_requested()) {
                        std::this_thread::sleep_for(1ms);
                    }
                    left = true;
                    return 0;
                },
                [](Outcome<int>) { QFAIL("called after the runner was gone"); });
            QTRY_VERIFY(entered);
        }
        QVERIFY(left);
        QCoreApplication::processEvents();
    }
    void progressIsThrottledAndEndsWithTheLast()
    {
        JobRunner runner;
        QSignalSpy spy(&runner, &JobRunner::progressChanged);
        bool done = false;
        runner.start(
            Lane::Batch, QStringLiteral("count"), QStringLiteral("Counting"),
            [](const TaskContext& context) {
                for (int i = 0; i <= 10000; ++i) {
                    context.report("count", i, 10000);
                }
                return 0;
            },
            [&](Outcome<int>) { done = true; });
        QCOMPARE(runner.jobs().size(), 1);
        QTRY_VERIFY(done);
        QVERIFY(spy.size() >= 1);
        QVERIFY2(spy.size() < 1000, qPrintable(QString::number(spy.size())));
        QCOMPARE(spy.last().at(1).value<Progress>().done, std::int64_t {10000});
        QVERIFY(runner.jobs().isEmpty());
    }
    void partialResultsComeInOrderBeforeTheOutcome()
    {
        JobRunner runner;
        QList<int> seen;
        runner.start(
            Lane::Batch, QStringLiteral("parts"), QString(),
            [&](const TaskContext&) {
                for (int i = 0; i < 5; ++i) {
                    runner.deliver([&seen, i] { seen.append(i); });
                }
                return 5;
            },
            [&](Outcome<int> outcome) { seen.append(std::get<int>(outcome)); });
        QTRY_COMPARE(seen.size(), 6);
        QCOMPARE(seen, (QList<int> {0, 1, 2, 3, 4, 5}));
    }
};

QTEST_GUILESS_MAIN(TestJobRunner)
#include "tst_job_runner.moc"
