#include "core/base/error.h"
#include "core/quant/ada_log.h"
#include "core/quant/fake_quantizer.h"
#include "core/quant/quantization_error.h"
#include "core/quant/scale.h"
#include "tests/core/quant/quant_samples.h"

#include <QTest>

#include <cmath>

using namespace qs;
using samples::params;

namespace {

constexpr auto kAsymmetric = Symmetry::Asymmetric;
constexpr auto kSymmetric = Symmetry::Symmetric;

bool isClipped(float x, const QuantParams& parameters, std::size_t index)
{
    const float s = parameters.scales[index];
    if (parameters.kind == QuantizerKind::Uniform) {
        const double code = std::nearbyint(static_cast<double>(x / s)) + parameters.zeroPoints[index];
        return code < parameters.minimumCode() || code > parameters.maximumCode();
    }
    const double k = parameters.kind == QuantizerKind::AdaLog ? 37.0 / adaLogBase(parameters.bounds[index])
        : parameters.kind == QuantizerKind::Log2              ? 1.0
                                                              : 2.0;
    return x > 0.0F && std::nearbyint(-k * std::log2(static_cast<double>(x) / static_cast<double>(s))) < 0.0;
}

/// The error value by value, of what FakeQuantizer makes of the values; that this is right is
/// tst_fake_quantizer's.
QuantizationError bruteForce(const std::vector<float>& values, const QuantParams& parameters)
{
    std::vector<float> quantized(values.size());
    FakeQuantizer(parameters).transformRow(0, values, quantized.data());
    QuantizationError error;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const float x = values[i];
        const float y = quantized[i];
        const double difference = static_cast<double>(x) - static_cast<double>(y);
        const bool clipped = isClipped(x, parameters, 0);
        (clipped ? error.clipping : error.rounding) += difference * difference;
        error.clipped += clipped ? 1 : 0;
        ++error.count;
        error.signal += static_cast<double>(x) * static_cast<double>(x);
        error.mass += static_cast<double>(x);
        if (parameters.kind != QuantizerKind::Uniform && y == 0.0F) {
            ++error.zeroed;
            error.zeroedMass += static_cast<double>(x);
        }
    }
    return error;
}

double errorOfCells(const QuantizationError& error)
{
    return 1e-12 * error.signal; // of sums of squares in double
}

std::string told(const QuantizationError& actual, const QuantizationError& expected)
{
    return std::to_string(actual.total()) + " +- " + std::to_string(actual.uncertainty) + ", not "
        + std::to_string(expected.total());
}

} // namespace

class TestQuantizationError : public QObject
{
    Q_OBJECT

private slots:
    void handCheckedCells()
    {
        // step 1, codes 0..3, z = 1: levels -1 0 1 2; bins of width 1/2 fit the cells' borders at -0.5,
        // 0.5, 1.5
        const GroupStatistics group
            = samples::linearStatistics({-3.0F, -1.25F, 0.25F, 0.5F, 1.75F, 2.25F, 4.0F}, -1);
        const QuantizationError error
            = quantizationErrorOfGroup(group, params(QuantizerKind::Uniform, kAsymmetric, 2, 1.0F, 1), 0);
        QCOMPARE(error.clipping, 4.0 + 4.0); // -3 to -1 and 4 to 2
        QCOMPARE(error.clipped, std::uint64_t {2});
        QCOMPARE(error.rounding, 4 * 0.0625 + 0.25);
        QCOMPARE(error.uncertainty, 0.0);
        QCOMPARE(error.count, std::uint64_t {7});
        QCOMPARE(error.signal, 9.0 + 1.5625 + 0.0625 + 0.25 + 3.0625 + 5.0625 + 16.0);
        QCOMPARE(error.mass, -3.0 - 1.25 + 0.25 + 0.5 + 1.75 + 2.25 + 4.0);
    }
    void exactWhereBinsFitCells_data();
    void exactWhereBinsFitCells();
    void uniformWithinUncertainty_data();
    void uniformWithinUncertainty();
    void uniformEstimateIsClose();
    void adversarialBinsStayWithinUncertainty();
    void logarithmicWithinUncertainty_data();
    void logarithmicWithinUncertainty();
    void logarithmicOnLinearBins();
    void adaLogWithinUncertainty();
    void countsZeroedAttention();
    void constantAndEmptyGroups();
    void perBinErrorsAddUp();
    void siteIsTheSumOfItsGroups();
    void sqnr()
    {
        QuantizationError error;
        QVERIFY(std::isinf(error.sqnrDb()));
        error.rounding = 0.75;
        error.clipping = 0.25;
        QCOMPARE(error.sqnrDb(), 0.0);
        error.signal = 1000.0;
        QCOMPARE(error.sqnrDb(), 30.0);
        error.count = 4;
        QCOMPARE(error.meanSquared(), 0.25);
    }
};

void TestQuantizationError::exactWhereBinsFitCells_data()
{
    QTest::addColumn<int>("bits");
    for (const int bits : {2, 3, 4, 6, 8}) {
        QTest::addRow("%d", bits) << bits;
    }
}

void TestQuantizationError::exactWhereBinsFitCells()
{
    QFETCH(const int, bits);
    const std::vector<float> values = samples::normal(5000, 11, 0.3F);
    const double step = std::ldexp(1.0, 2 - bits);
    const QuantParams parameters = params(QuantizerKind::Uniform, kAsymmetric, bits, static_cast<float>(step),
        static_cast<std::int32_t>(std::ldexp(1.0, bits - 1)));
    for (const int finer : {1, 2, 3}) { // bins of half a step and less share the cells' borders
        const GroupStatistics group = samples::linearStatistics(values, 2 - bits - finer);
        const QuantizationError actual = quantizationErrorOfGroup(group, parameters, 0);
        const QuantizationError expected = bruteForce(values, parameters);
        QCOMPARE(actual.uncertainty, 0.0);
        QCOMPARE(actual.clipped, expected.clipped);
        QVERIFY(std::abs(actual.clipping - expected.clipping) < errorOfCells(expected));
        QVERIFY(std::abs(actual.rounding - expected.rounding) < errorOfCells(expected));
    }
}

void TestQuantizationError::uniformWithinUncertainty_data()
{
    QTest::addColumn<int>("bits");
    QTest::addColumn<bool>("isSymmetric");
    for (int bits = kMinBits; bits <= kMaxBits; ++bits) {
        QTest::addRow("asymmetric %d", bits) << bits << false;
        QTest::addRow("symmetric %d", bits) << bits << true;
    }
}

void TestQuantizationError::uniformWithinUncertainty()
{
    QFETCH(const int, bits);
    QFETCH(const bool, isSymmetric);
    std::mt19937 generator(static_cast<unsigned>(bits));
    std::uniform_real_distribution<double> unit(0.0, 1.0);
    for (int round = 0; round < 60; ++round) {
        std::vector<float> values = samples::normal(static_cast<std::size_t>(3 + round * 20),
            static_cast<unsigned>(round), static_cast<float>(4.0 * unit(generator) - 2.0));
        if (round % 3 == 0) { // heavy tail
            for (float& value : values) {
                value = value * value * value;
            }
        }
        const auto [least, most] = std::ranges::minmax(values);
        const double shrink = 0.2 + unit(generator);
        const QuantParams parameters
            = paramsForBounds(QuantizerKind::Uniform, isSymmetric ? kSymmetric : kAsymmetric, bits,
                {static_cast<double>(least) * shrink, static_cast<double>(most) * shrink + 0.01});
        const GroupStatistics group = samples::linearStatistics(values, -7 + round % 6);
        const QuantizationError actual = quantizationErrorOfGroup(group, parameters, 0);
        const QuantizationError expected = bruteForce(values, parameters);
        QVERIFY2(std::abs(actual.total() - expected.total()) <= actual.uncertainty + errorOfCells(expected),
            told(actual, expected).c_str());
        QCOMPARE(actual.count, expected.count);
    }
}

void TestQuantizationError::uniformEstimateIsClose()
{
    // What a site of a real model looks like: tens of thousands of values in about a hundred bins.
    const std::vector<float> values = samples::normal(50000, 23, 0.2F);
    const GroupStatistics group = samples::linearStatistics(values, -4);
    for (const int bits : {2, 3, 4, 5, 6, 8}) {
        const QuantParams parameters
            = paramsForBounds(QuantizerKind::Uniform, kAsymmetric, bits, {-2.1, 2.7});
        const QuantizationError actual = quantizationErrorOfGroup(group, parameters, 0);
        const QuantizationError expected = bruteForce(values, parameters);
        QVERIFY2(std::abs(actual.total() / expected.total() - 1.0) < 0.01, told(actual, expected).c_str());
        QVERIFY(std::abs(actual.clipping / expected.clipping - 1.0) < 0.02);
        QVERIFY(std::abs(static_cast<double>(actual.clipped) / static_cast<double>(expected.clipped) - 1.0)
            < 0.02);
    }
}

void TestQuantizationError::adversarialBinsStayWithinUncertainty()
{
    // All values of a bin on levels, or all on borders between levels, is as far from an even spread as can
    // be.
    const QuantParams parameters = params(QuantizerKind::Uniform, kAsymmetric, 6, 0.1F, 20);
    for (const double offset : {0.0, 0.02, 0.05, 0.0499, 0.08}) {
        for (const int exponent : {-4, -3, -2, 0, 1}) {
            std::vector<float> values;
            for (int i = -40; i < 60; ++i) {
                values.insert(values.end(), static_cast<std::size_t>(1 + (i & 3)),
                    static_cast<float>(0.1 * i + offset));
            }
            const QuantizationError actual
                = quantizationErrorOfGroup(samples::linearStatistics(values, exponent), parameters, 0);
            const QuantizationError expected = bruteForce(values, parameters);
            QVERIFY2(
                std::abs(actual.total() - expected.total()) <= actual.uncertainty + errorOfCells(expected),
                told(actual, expected).c_str());
        }
    }
}

void TestQuantizationError::logarithmicWithinUncertainty_data()
{
    QTest::addColumn<int>("bits");
    QTest::addColumn<bool>("isSqrt2");
    for (const int bits : {2, 3, 4, 6, 8}) {
        QTest::addRow("log2 %d", bits) << bits << false;
        QTest::addRow("log-sqrt2 %d", bits) << bits << true;
    }
}

void TestQuantizationError::logarithmicWithinUncertainty()
{
    QFETCH(const int, bits);
    QFETCH(const bool, isSqrt2);
    for (unsigned round = 0; round < 30; ++round) {
        const std::vector<float> values
            = samples::attention(60, 150, round, 1.0F + static_cast<float>(round % 5));
        const float d = 0.05F + 0.031F * static_cast<float>(round);
        const QuantParams parameters
            = params(isSqrt2 ? QuantizerKind::LogSqrt2 : QuantizerKind::Log2, kAsymmetric, bits, d);
        const GroupStatistics group
            = samples::log2Statistics(values, round % 2 == 0 ? 16 : 2, 12 + 2 * static_cast<int>(round % 8));
        const QuantizationError actual = quantizationErrorOfGroup(group, parameters, 0);
        const QuantizationError expected = bruteForce(values, parameters);
        QVERIFY2(std::abs(actual.total() - expected.total()) <= actual.uncertainty + errorOfCells(expected),
            told(actual, expected).c_str());
        if (round % 2 == 0) {
            QVERIFY2(
                std::abs(actual.total() / expected.total() - 1.0) < 0.05, told(actual, expected).c_str());
            QVERIFY(std::abs(actual.clipping - expected.clipping) < 0.05 * expected.total() + 1e-9);
        }
    }
}

void TestQuantizationError::logarithmicOnLinearBins()
{
    for (const auto kind : {QuantizerKind::Log2, QuantizerKind::LogSqrt2}) {
        for (unsigned round = 0; round < 40; ++round) {
            const std::vector<float> values = samples::normal(400, round, 0.5F);
            const QuantParams parameters = params(kind, kAsymmetric, 2 + static_cast<int>(round % 9),
                0.3F + 0.1F * static_cast<float>(round % 20));
            const GroupStatistics group = samples::linearStatistics(values, -6 + static_cast<int>(round % 5));
            const QuantizationError actual = quantizationErrorOfGroup(group, parameters, 0);
            const QuantizationError expected = bruteForce(values, parameters);
            QVERIFY2(
                std::abs(actual.total() - expected.total()) <= actual.uncertainty + errorOfCells(expected),
                told(actual, expected).c_str());
        }
    }
}

/// AdaLog on both forms of bins, its mantissas rounded.
void TestQuantizationError::adaLogWithinUncertainty()
{
    const std::vector<float> attention = samples::attention(60, 150, 4, 2.0F);
    const std::vector<float> normal = samples::normal(400, 5, 0.5F);
    for (const int bits : {2, 3, 4, 6, 8}) {
        for (const int base : {10, 18, 29, 37, 61, 138}) {
            const QuantParams parameters = paramsForBounds(
                QuantizerKind::AdaLog, kAsymmetric, bits, adaLogBounds(0.4 + 0.01 * base, base));
            for (const auto& [values, group] :
                {std::pair {attention, samples::log2Statistics(attention, 16, 20)},
                    std::pair {normal, samples::linearStatistics(normal, -4)}}) {
                const QuantizationError actual = quantizationErrorOfGroup(group, parameters, 0);
                const QuantizationError expected = bruteForce(values, parameters);
                QVERIFY2(std::abs(actual.total() - expected.total())
                        <= actual.uncertainty + errorOfCells(expected),
                    told(actual, expected).c_str());
            }
        }
    }
}

void TestQuantizationError::countsZeroedAttention()
{
    const std::vector<float> values = samples::attention(200, 197, 5, 3.0F);
    const QuantParams parameters = params(QuantizerKind::LogSqrt2, kAsymmetric, 4, 0.8F);
    const QuantizationError actual
        = quantizationErrorOfGroup(samples::log2Statistics(values, 16, 32), parameters, 0);
    const QuantizationError expected = bruteForce(values, parameters);
    QVERIFY(expected.zeroed > 1000);
    QVERIFY(std::abs(static_cast<double>(actual.zeroed) / static_cast<double>(expected.zeroed) - 1.0) < 0.01);
    QVERIFY(std::abs(actual.zeroedMass / expected.zeroedMass - 1.0) < 0.01);
    QVERIFY(std::abs(actual.mass / expected.mass - 1.0) < 1e-12);
    const QuantizationError none = quantizationErrorOfGroup(
        samples::log2Statistics(values, 16, 32), params(QuantizerKind::Uniform, kAsymmetric, 4, 0.1F), 0);
    QCOMPARE(none.zeroed, std::uint64_t {0});
}

void TestQuantizationError::constantAndEmptyGroups()
{
    const QuantParams parameters = params(QuantizerKind::Uniform, kAsymmetric, 4, 0.25F, 3);
    QCOMPARE(quantizationErrorOfGroup({}, parameters, 0), QuantizationError {});
    const GroupStatistics zeros = samples::linearStatistics(std::vector<float>(100, 0.0F), -8);
    const QuantizationError none = quantizationErrorOfGroup(zeros, parameters, 0);
    QCOMPARE(none.total(), 0.0);
    QCOMPARE(none.uncertainty, 0.0);
    QVERIFY(std::isinf(none.sqnrDb()));
    const GroupStatistics constant = samples::linearStatistics(std::vector<float>(100, 0.3F), 0);
    const QuantizationError error = quantizationErrorOfGroup(constant, parameters, 0);
    QVERIFY(std::abs(error.total() - 100.0 * 0.05 * 0.05) < 1e-6);
    QCOMPARE(error.uncertainty, 0.0); // minimum and maximum narrow the bin to one value
}

void TestQuantizationError::perBinErrorsAddUp()
{
    const std::vector<float> values = samples::normal(3000, 2);
    const GroupStatistics group = samples::linearStatistics(values, -3);
    const QuantParams parameters = paramsForBounds(QuantizerKind::Uniform, kSymmetric, 5, {-1.5, 1.5});
    const QuantizationError whole = quantizationErrorOfGroup(group, parameters, 0);
    const BinErrors bins = quantizationErrorPerBin(group, parameters, 0);
    QCOMPARE(bins.clipping.size(), group.histogram.size());
    double clipping = 0.0;
    double rounding = 0.0;
    for (std::size_t i = 0; i < bins.clipping.size(); ++i) {
        clipping += bins.clipping[i];
        rounding += bins.rounding[i];
    }
    QVERIFY(std::abs(clipping - whole.clipping) < 1e-9);
    QVERIFY(std::abs(rounding - whole.rounding) < 1e-9);
    QVERIFY(bins.clipping.front() > 0.0);
    QCOMPARE(bins.rounding.front(), 0.0);
    QCOMPARE(bins.clipping[bins.clipping.size() / 2], 0.0);
}

void TestQuantizationError::siteIsTheSumOfItsGroups()
{
    SiteStatistics site;
    site.groups = {samples::linearStatistics(samples::normal(500, 1), -3),
        samples::linearStatistics(samples::normal(700, 2, 3.0F), -3)};
    QuantParams parameters = params(QuantizerKind::Uniform, kAsymmetric, 4, 0.3F, 4);
    QuantizationError expected = quantizationErrorOfGroup(site.groups[0], parameters, 0);
    expected += quantizationErrorOfGroup(site.groups[1], parameters, 1);
    QCOMPARE(quantizationError(site, parameters), expected);
    parameters.scales = {0.3F, 0.4F};
    parameters.zeroPoints = {4, -2};
    expected = quantizationErrorOfGroup(site.groups[0], parameters, 0);
    expected += quantizationErrorOfGroup(site.groups[1], parameters, 1);
    QCOMPARE(quantizationError(site, parameters), expected);
    parameters.scales = {0.3F, 0.4F, 0.5F};
    parameters.zeroPoints = {0, 0, 0};
    QVERIFY_THROWS_EXCEPTION(Error, static_cast<void>(quantizationError(site, parameters)));
}

QTEST_GUILESS_MAIN(TestQuantizationError)
#include "tst_quantization_error.moc"
