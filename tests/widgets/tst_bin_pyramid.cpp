#include "widgets/plot/bin_pyramid.h"

#include <QTest>

#include <algorithm>
#include <random>

using namespace qs;

class TestBinPyramid : public QObject
{
    Q_OBJECT
private slots:
    void agreesWithALoopOnEveryRange()
    {
        std::mt19937 random(1);
        for (const std::size_t size : {1U, 2U, 7U, 64U, 101U}) {
            std::vector<double> values(size);
            std::generate(
                values.begin(), values.end(), [&random] { return static_cast<double>(random() % 1000); });
            const BinPyramid pyramid(values);
            for (std::size_t begin = 0; begin < size; ++begin) {
                for (std::size_t end = begin + 1; end <= size; ++end) {
                    double largest = 0.0;
                    for (std::size_t i = begin; i < end; ++i) {
                        largest = std::max(largest, values[i]);
                    }
                    QCOMPARE(pyramid.maximum(begin, end), largest);
                }
            }
        }
    }
    void emptyRangesAreZero()
    {
        const BinPyramid pyramid({5.0, 6.0});
        QCOMPARE(pyramid.maximum(1, 1), 0.0);
        QCOMPARE(pyramid.maximum(2, 9), 0.0);
        QCOMPARE(BinPyramid().maximum(), 0.0);
        QCOMPARE(BinPyramid(std::vector<double> {}).maximum(0, 3), 0.0);
    }
    void rangesBeyondTheEndAreCut() { QCOMPARE(BinPyramid({1.0, 3.0, 2.0}).maximum(1, 100), 3.0); }
};

QTEST_GUILESS_MAIN(TestBinPyramid)
#include "tst_bin_pyramid.moc"
