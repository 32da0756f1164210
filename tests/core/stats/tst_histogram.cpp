#include "core/base/error.h"
#include "core/stats/histogram.h"
#include "core/stats/site_statistics.h"

#include <QTest>

#include <cmath>

using namespace qs;

namespace {

/// Every value in its bin of a linear grid, by division: the plain definition.
Histogram linear(double width, std::int64_t first, std::size_t bins, const std::vector<double>& values)
{
    Histogram histogram {.firstBin = first, .width = width};
    histogram.counts.assign(bins, 0);
    histogram.sums.assign(bins, 0.0);
    histogram.squares.assign(bins, 0.0);
    for (const double value : values) {
        const auto bin
            = static_cast<std::size_t>(static_cast<std::int64_t>(std::floor(value / width)) - first);
        ++histogram.counts.at(bin);
        histogram.sums.at(bin) += value;
        histogram.squares.at(bin) += value * value;
    }
    return histogram;
}

using Counts = std::vector<std::uint64_t>;

} // namespace

class TestHistogram : public QObject
{
    Q_OBJECT
private slots:
    void linearEdgesAreMultiplesOfTheWidth()
    {
        const Histogram histogram = linear(0.25, -2, 3, {});
        QCOMPARE(histogram.edge(0), -0.5);
        QCOMPARE(histogram.edge(2), 0.0);
        QCOMPARE(histogram.edge(3), 0.25);
    }
    void log2EdgesCutEachOctaveIntoEqualParts()
    {
        Histogram histogram;
        histogram.scale = BinScale::Log2;
        histogram.width = 0.25;
        histogram.firstBin = -8; // two octaves below 1
        QCOMPARE(histogram.edge(0), 0.25);
        QCOMPARE(histogram.edge(1), 0.3125);
        QCOMPARE(histogram.edge(3), 0.4375);
        QCOMPARE(histogram.edge(4), 0.5);
        QCOMPARE(histogram.edge(7), 0.875);
        QCOMPARE(histogram.edge(8), 1.0);
        histogram.firstBin = -1; // below 1 in the other direction of rounding
        QCOMPARE(histogram.edge(0), 0.875);
        histogram.width = 2.0;
        QCOMPARE(histogram.edge(0), 0.25);
        QCOMPARE(histogram.edge(2), 4.0);
    }
    void totalCountsBinsAndZeros()
    {
        Histogram histogram = linear(1.0, 0, 3, {0.5, 0.5, 2.5});
        histogram.zeros = 4;
        QCOMPARE(histogram.total(), std::uint64_t {7});
        QCOMPARE(Histogram {}.total(), std::uint64_t {0});
    }

    void quantileOfOnePerBinInterpolatesBetweenBinCentres()
    {
        // 0.5, 1.5, 2.5, 3.5, 4.5: one in the middle of each bin, so the spread puts them exactly there.
        const Histogram histogram = linear(1.0, 0, 5, {0.5, 1.5, 2.5, 3.5, 4.5});
        QCOMPARE(quantile(histogram, 0.0, 0.5, 4.5), 0.5);
        QCOMPARE(quantile(histogram, 0.25, 0.5, 4.5), 1.5);
        QCOMPARE(quantile(histogram, 0.5, 0.5, 4.5), 2.5);
        QCOMPARE(quantile(histogram, 0.625, 0.5, 4.5), 3.0); // h = 2.5: half-way from 2.5 to 3.5
        QCOMPARE(quantile(histogram, 1.0, 0.5, 4.5), 4.5);
    }
    void quantileSpreadsTheSamplesOfOneBin()
    {
        // Four samples of [0, 4) at 0.5, 1.5, 2.5, 3.5; ends replaced by the known minimum and maximum.
        Histogram histogram = linear(4.0, 0, 1, {0.0, 1.0, 2.0, 3.0});
        QCOMPARE(quantile(histogram, 1.0 / 3.0, 0.0, 4.0), 1.5);
        QCOMPARE(quantile(histogram, 0.5, 0.0, 4.0), 2.0);
        QCOMPARE(quantile(histogram, 0.0, 0.0, 4.0), 0.0);
        QCOMPARE(quantile(histogram, 1.0, 0.0, 4.0), 4.0);
        // Bounds inside the bin squeeze the spread: [1, 3] gives 1.25, 1.75, 2.25, 2.75.
        QCOMPARE(quantile(histogram, 1.0 / 3.0, 1.0, 3.0), 1.75);
    }
    void quantileCountsZerosAsZero()
    {
        Histogram histogram;
        histogram.scale = BinScale::Log2;
        histogram.width = 1.0;
        histogram.firstBin = -1;
        histogram.counts = {1};
        histogram.sums = {0.75};
        histogram.squares = {0.5625};
        histogram.zeros = 3;
        QCOMPARE(quantile(histogram, 0.0, 0.0, 0.75), 0.0);
        QCOMPARE(quantile(histogram, 2.0 / 3.0, 0.0, 0.75), 0.0);
        QCOMPARE(quantile(histogram, 1.0, 0.0, 0.75), 0.75);
        QCOMPARE(quantile(histogram, 5.0 / 6.0, 0.0, 0.75), 0.375);
    }
    void quantileOfConstantOrEmptyIsTheConstant()
    {
        const Histogram constant = linear(0.5, 2, 1, {1.25, 1.25, 1.25});
        for (const double p : {0.0, 0.1, 0.5, 0.999, 1.0}) {
            QCOMPARE(quantile(constant, p, 1.25, 1.25), 1.25);
        }
        QCOMPARE(quantile(linear(1.0, 0, 1, {0.7}), 0.5, 0.7, 0.7), 0.7);
        QCOMPARE(quantile(Histogram {}, 0.5, 0.0, 0.0), 0.0);
    }

    void mergingTakesTheCoarserGridAndKeepsMoments()
    {
        const Histogram fine = linear(0.5, -1, 4, {-0.25, 0.25, 0.75, 1.25}); // [-0.5, 1.5)
        const Histogram coarse = linear(1.0, 1, 2, {1.5, 2.5});
        const Histogram sum = merged({&fine, &coarse}, 16);
        QCOMPARE(sum.width, 1.0);
        QCOMPARE(sum.firstBin, std::int64_t {-1});
        QCOMPARE(sum.counts, (Counts {1, 2, 2, 1}));
        QCOMPARE(sum.sums, (std::vector<double> {-0.25, 1.0, 2.75, 2.5}));
        QCOMPARE(sum.squares, (std::vector<double> {0.0625, 0.625, 3.8125, 6.25}));
        QCOMPARE(merged({&coarse, &fine}, 16).counts, sum.counts);
    }
    void mergingCoarsensToTheBudget()
    {
        const Histogram histogram = linear(1.0, 1, 6, {1.5, 2.5, 3.5, 4.5, 5.5, 6.5});
        const Histogram four = merged({&histogram}, 4); // [0,2) [2,4) [4,6) [6,8)
        QCOMPARE(four.width, 2.0);
        QCOMPARE(four.firstBin, std::int64_t {0});
        QCOMPARE(four.counts, (Counts {1, 2, 2, 1}));
        QCOMPARE(four.sums, (std::vector<double> {1.5, 6.0, 10.0, 6.5}));
        const Histogram straddling = linear(1.0, -1, 2, {-0.5, 0.5});
        QCOMPARE(merged({&straddling}, 1).counts, (Counts {1, 1}));
    }
    void mergingLog2PairsPartsOfAnOctave()
    {
        Histogram histogram;
        histogram.scale = BinScale::Log2;
        histogram.width = 0.5;
        histogram.firstBin = -3; // [0.375, 0.5) [0.5, 0.75) [0.75, 1)
        histogram.counts = {1, 2, 3};
        histogram.sums = {0.4, 1.2, 2.5};
        histogram.squares = {0.16, 0.72, 2.1};
        histogram.zeros = 5;
        const Histogram sum = merged({&histogram, &histogram}, 2);
        QCOMPARE(sum.width, 1.0);
        QCOMPARE(sum.firstBin, std::int64_t {-2});
        QCOMPARE(sum.edge(0), 0.25);
        QCOMPARE(sum.counts, (Counts {2, 10}));
        QCOMPARE(sum.zeros, std::uint64_t {10});
    }
    void mergingNothingIsEmpty()
    {
        const Histogram empty;
        QCOMPARE(merged({}, 8), Histogram {});
        QCOMPARE(merged({&empty, &empty}, 8).size(), std::size_t {0});
        const Histogram some = linear(1.0, 3, 1, {3.5});
        QCOMPARE(merged({&empty, &some}, 8), some);
    }
    void mergingLeavesOutAPartWithoutAGrid() // a dead channel as a file holds it
    {
        Histogram dead;
        dead.width = 0.0;
        dead.zeros = 7;
        const Histogram some = linear(0.25, -2, 3, {-0.4, 0.1, 0.2});
        const Histogram sum = merged({&dead, &some, &dead}, 8);
        QCOMPARE(sum.counts, some.counts);
        QCOMPARE(sum.zeros, some.zeros + 14);
    }
    void mergingScalesApartIsRefused()
    {
        Histogram other = linear(1.0, 0, 1, {0.5});
        other.scale = BinScale::Log2;
        const Histogram histogram = linear(1.0, 0, 1, {0.5});
        try {
            (void)merged({&histogram, &other}, 8);
            QFAIL("nothing was thrown");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::InvalidArgument);
        }
    }

    void siteTotalsLeaveEmptyGroupsOut()
    {
        SiteStatistics site;
        site.groups.resize(3);
        site.groups[1] = {.count = 2,
            .nonFinite = 1,
            .minimum = 1.25F,
            .maximum = 2.5F,
            .sum = 3.75,
            .sumOfSquares = 7.8125,
            .histogram = linear(1.0, 1, 2, {1.25, 2.5})};
        site.groups[2] = {.count = 1,
            .minimum = 4.0F,
            .maximum = 4.0F,
            .sum = 4.0,
            .sumOfSquares = 16.0,
            .histogram = linear(1.0, 4, 1, {4.0})};
        QCOMPARE(site.count(), std::uint64_t {3});
        QCOMPARE(site.minimum(), 1.25F);
        QCOMPARE(site.maximum(), 4.0F);
        QCOMPARE(site.sumOfSquares(), 23.8125);
        QCOMPARE(site.tensorHistogram(8).counts, (Counts {1, 1, 0, 1}));
        QCOMPARE(SiteStatistics {}.minimum(), 0.0F);
    }
    void aCalibrationFindsItsSites()
    {
        Calibration calibration;
        calibration.sites["a"] = std::make_shared<const SiteStatistics>();
        QVERIFY(calibration.find("a") != nullptr);
        QVERIFY(calibration.find("b") == nullptr);
    }
};

QTEST_GUILESS_MAIN(TestHistogram)
#include "tst_histogram.moc"
