#include "widgets/plot/quantizer_levels.h"

#include <QTest>

#include <cmath>

using namespace qs;

class TestQuantizerLevels : public QObject
{
    Q_OBJECT
private slots:
    void uniformLevelsAreCodesMinusZeroPointTimesStep()
    {
        const QuantParams params {.bits = 2, .scales = {0.5F}, .zeroPoints = {1}, .bounds = {{-0.5, 1.0}}};
        QCOMPARE(quantizerLevels(params, 0, 100), (std::vector<double> {-0.5, 0.0, 0.5, 1.0}));
        QCOMPARE(levelCount(params), 4);
        QCOMPARE(zeroingCutoff(params, 0), 0.0);
    }
    void symmetricLevelsLeaveOutTheLowestCode()
    {
        const QuantParams params {.symmetry = Symmetry::Symmetric,
            .bits = 3,
            .scales = {2.0F},
            .zeroPoints = {0},
            .bounds = {{-6.0, 6.0}}};
        QCOMPARE(quantizerLevels(params, 0, 100), (std::vector<double> {-6, -4, -2, 0, 2, 4, 6}));
    }
    void logLevelsAreZeroAndPowersOfHalf()
    {
        const QuantParams params {.kind = QuantizerKind::Log2,
            .bits = 2,
            .scales = {1.0F},
            .zeroPoints = {0},
            .bounds = {{0.0, 1.0}}};
        QCOMPARE(quantizerLevels(params, 0, 100), (std::vector<double> {0.0, 0.125, 0.25, 0.5, 1.0}));
        // Half way, in the exponent, between 2^-3 and the first code that is zero, 2^-4.
        QCOMPARE(zeroingCutoff(params, 0), std::exp2(-3.5));
    }
    void logSqrt2HasTwoLevelsAnOctave()
    {
        const QuantParams params {.kind = QuantizerKind::LogSqrt2,
            .bits = 2,
            .scales = {2.0F},
            .zeroPoints = {0},
            .bounds = {{0.0, 2.0}}};
        const std::vector<double> levels = quantizerLevels(params, 0, 100);
        QCOMPARE(levels.size(), std::size_t {5});
        QCOMPARE(levels[4], 2.0);
        QCOMPARE(levels[3], std::sqrt(2.0));
        QCOMPARE(levels[2], 1.0);
        QCOMPARE(zeroingCutoff(params, 0), 2.0 * std::exp2(-1.75));
    }
    void nothingIsClippedBelowALogarithmicQuantizer()
    {
        // d = 2 and the base 2^(18/37), which AdaLog keeps as the value of code 1 (methods.md 4.3).
        const QuantParams params {.kind = QuantizerKind::AdaLog,
            .bits = 2,
            .scales = {2.0F},
            .zeroPoints = {0},
            .bounds = {{2.0 * std::exp2(-18.0 / 37.0), 2.0}}};
        QCOMPARE(clippingBounds(params, 0), (Bounds {0.0, 2.0}));
        const QuantParams uniform {.scales = {1.0F}, .zeroPoints = {1}, .bounds = {{-1.0, 3.0}}};
        QCOMPARE(clippingBounds(uniform), (std::vector<Bounds> {{-1.0, 3.0}}));
    }
    void manyLevelsAreThinnedButKeepTheEnds()
    {
        const QuantParams params {
            .bits = 16, .scales = {1.0F}, .zeroPoints = {0}, .bounds = {{0.0, 65535.0}}};
        const std::vector<double> levels = quantizerLevels(params, 0, 100);
        QVERIFY(levels.size() <= 100);
        QVERIFY(levels.size() > 50);
        QCOMPARE(levels.front(), 0.0);
        QCOMPARE(levels.back(), 65535.0);
        QVERIFY(quantizerLevels(params, 0, 1).empty());
    }
    void groupsHaveTheirOwnLevels()
    {
        const QuantParams params {.granularity = Granularity::Group,
            .bits = 2,
            .scales = {1.0F, 0.25F},
            .zeroPoints = {0, 2},
            .bounds = {{0.0, 3.0}, {-0.5, 0.25}}};
        QCOMPARE(quantizerLevels(params, 1, 100), (std::vector<double> {-0.5, -0.25, 0.0, 0.25}));
    }
};

QTEST_GUILESS_MAIN(TestQuantizerLevels)
#include "tst_quantizer_levels.moc"
