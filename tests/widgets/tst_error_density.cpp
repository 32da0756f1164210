#include "widgets/plot/error_density.h"

#include <QTest>

using namespace qs;

class TestErrorDensity : public QObject
{
    Q_OBJECT
private slots:
    void separatesClippingFromRounding()
    {
        // Bins of width 0.25 holding 0.1 twice, 0.3 once and 1.6 once; levels 0, 0.5, 1 (codes 0..3:
        // also 1.5).
        Histogram histogram;
        histogram.width = 0.25;
        histogram.firstBin = 0;
        histogram.counts = {2, 1, 0, 0, 0, 0, 0, 0, 1};
        histogram.sums = {0.2, 0.3, 0, 0, 0, 0, 0, 0, 2.1};
        histogram.squares = {0.02, 0.09, 0, 0, 0, 0, 0, 0, 4.41};
        const QuantParams params {.bits = 2, .scales = {0.5F}, .zeroPoints = {0}, .bounds = {{0.0, 1.5}}};
        const ErrorDensity density = errorDensity(histogram, params, 0);
        QVERIFY(qAbs(density.rounding[0] - 0.02) < 1e-12); // two times (0.1 - 0)^2
        QVERIFY(qAbs(density.rounding[1] - 0.04) < 1e-12); // (0.3 - 0.5)^2
        QVERIFY(qAbs(density.clipping[8] - 0.36) < 1e-12); // (2.1 - 1.5)^2
        QCOMPARE(density.rounding[8], 0.0);
        QCOMPARE(density.clipping[0], 0.0);
        QCOMPARE(density.clipping.size(), histogram.size());
    }
    void wideBinsTakeTheEvenSpread()
    {
        Histogram histogram;
        histogram.width = 1.0;
        histogram.counts = {12};
        histogram.sums = {6.0};
        histogram.squares = {4.0};
        const QuantParams params {.bits = 8, .scales = {0.5F}, .zeroPoints = {0}, .bounds = {{0.0, 127.5}}};
        QVERIFY(qAbs(errorDensity(histogram, params, 0).rounding[0] - 12 * 0.25 / 12.0) < 1e-12);
    }
    void zeroedMassIsTheShareOfTheSumBelowTheCutoff()
    {
        Histogram histogram;
        histogram.scale = BinScale::Log2;
        histogram.width = 1.0;
        histogram.firstBin = -3; // edges 1/8, 1/4, 1/2, 1
        histogram.counts = {4, 2, 1};
        histogram.sums = {0.7, 0.6, 0.7};
        histogram.squares = {0.1, 0.2, 0.5};
        QVERIFY(qAbs(zeroedMassShare(histogram, 0.25) - 0.35) < 1e-12);
        QVERIFY(qAbs(zeroedMassShare(histogram, 0.5) - 0.65) < 1e-12);
        QCOMPARE(zeroedMassShare(histogram, 0.01), 0.0);
        QCOMPARE(zeroedMassShare(histogram, 2.0), 1.0);
        QCOMPARE(zeroedMassShare(Histogram {}, 2.0), 0.0);
    }
    void everyHeadHasItsOwnShare()
    {
        // log2 with 2 bits and d = 1: what lies below 2^-3.5 becomes 0; with d = 1/4 below 2^-5.5.
        SiteStatistics site;
        site.axis = GroupAxis::Head;
        for (int head = 0; head < 2; ++head) {
            GroupStatistics group;
            group.count = 5;
            group.sum = 0.88;
            group.sumOfSquares = 0.4981;
            group.minimum = 0.04F;
            group.maximum = 0.7F;
            group.histogram.scale = BinScale::Log2;
            group.histogram.width = 1.0;
            group.histogram.firstBin = -5; // edges 1/32, 1/16, 1/8, 1/4, 1/2, 1
            group.histogram.counts = {4, 0, 0, 0, 1};
            group.histogram.sums = {0.18, 0.0, 0.0, 0.0, 0.7};
            group.histogram.squares = {0.0081, 0.0, 0.0, 0.0, 0.49};
            site.groups.push_back(group);
        }
        QuantParams params {.kind = QuantizerKind::Log2,
            .granularity = Granularity::Group,
            .axis = GroupAxis::Head,
            .bits = 2,
            .scales = {1.0F, 0.25F},
            .zeroPoints = {0, 0},
            .bounds = {{0.0, 1.0}, {0.0, 0.25}}};
        const std::vector<double> shares = zeroedShares(site, params);
        QCOMPARE(shares.size(), std::size_t {2});
        QVERIFY(qAbs(shares[0] - 0.18 / 0.88) < 1e-12);
        QCOMPARE(shares[1], 0.0);
        params.kind = QuantizerKind::Uniform;
        QVERIFY(zeroedShares(site, params).empty());
    }
};

QTEST_GUILESS_MAIN(TestErrorDensity)
#include "tst_error_density.moc"
