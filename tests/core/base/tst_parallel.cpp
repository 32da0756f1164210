#include "core/base/error.h"
#include "core/base/parallel.h"

#include <QTest>

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
    void doesNothingForNoItems()
    {
        parallelFor(0, 4, [](std::int64_t, std::int64_t) { QFAIL("called for an empty range"); });
    }
};

QTEST_GUILESS_MAIN(TestParallel)
#include "tst_parallel.moc"
