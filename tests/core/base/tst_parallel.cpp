#include "core/base/error.h"
#include "core/base/parallel.h"

#include <QTest>

#include <chrono>
#include <mutex>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

using namespace qs;

class TestParallel : public QObject
{
    Q_OBJECT
private slots:
    void coversEveryItemOnceForAnyThreadCount()
    {
        for (const int threads : {1, 2, 5}) {
            setThreadCount(threads);
            std::vector<int> visits(1003, 0);
            parallelFor(1003, 10, [&](std::int64_t begin, std::int64_t end) {
                QVERIFY(end - begin <= 10);
                for (std::int64_t i = begin; i < end; ++i) {
                    ++visits[static_cast<std::size_t>(i)];
                }
            });
            QCOMPARE(visits, std::vector<int>(1003, 1));
        }
    }
    void rethrowsWhatABodyThrew()
    {
        setThreadCount(2);
        try {
            parallelFor(100, 1, [](std::int64_t begin, std::int64_t) {
                if (begin == 40) {
                    throw Error(ErrorCode::InvalidArgument, "forty");
                }
            });
            QFAIL("nothing was thrown");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::InvalidArgument);
        }
    }
    void callersDoNotDisturbEachOther()
    {
        setThreadCount(3);
        std::vector<std::int64_t> sums(4, 0);
        {
            std::vector<std::jthread> callers;
            for (std::int64_t& sum : sums) {
                callers.emplace_back([&sum] {
                    for (int round = 0; round < 300; ++round) {
                        std::vector<std::int64_t> parts(20, 0);
                        parallelFor(200, 10, [&](std::int64_t begin, std::int64_t end) {
                            // A call from inside runs on this thread alone.
                            parallelFor(end - begin, 3, [&](std::int64_t first, std::int64_t last) {
                                parts[static_cast<std::size_t>(begin / 10)] += last - first;
                            });
                        });
                        sum += std::accumulate(parts.begin(), parts.end(), std::int64_t {0});
                    }
                });
            }
        }
        QCOMPARE(sums, std::vector<std::int64_t>(4, 300 * 200));
    }
    void sleepingHelpersWakeUp()
    {
        setThreadCount(2);
        for (int round = 0; round < 5; ++round) {
            std::this_thread::sleep_for(std::chrono::milliseconds(2)); // longer than helpers look for work
            std::set<std::thread::id> threads;
            std::mutex mutex;
            parallelFor(2, 1, [&](std::int64_t, std::int64_t) {
                {
                    const std::lock_guard lock(mutex);
                    threads.insert(std::this_thread::get_id());
                }
                std::this_thread::sleep_for(std::chrono::milliseconds(200));
            });
            QCOMPARE(threads.size(), std::size_t {2});
        }
    }
    void doesNothingForNoItems()
    {
        parallelFor(0, 4, [](std::int64_t, std::int64_t) { QFAIL("called for an empty range"); });
    }
};

QTEST_GUILESS_MAIN(TestParallel)
#include "tst_parallel.moc"
