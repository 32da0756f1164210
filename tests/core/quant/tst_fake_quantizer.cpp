#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/quant/fake_quantizer.h"
#include "core/quant/row_kernels.h"
#include "tests/core/quant/quant_samples.h"

#include <QTest>

#include <bit>
#include <cmath>
#include <limits>

using namespace qs;
using samples::params;

namespace {

constexpr auto kAsymmetric = Symmetry::Asymmetric;
constexpr auto kSymmetric = Symmetry::Symmetric;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::vector<float> quantized(const QuantParams& parameters, std::vector<float> values, std::int64_t head = 0)
{
    FakeQuantizer(parameters).transformRow(head, values, values.data());
    return values;
}

/// Values around every decision border of a logarithmic quantizer, one float apart, and some far ones.
std::vector<float> logarithmicBorders(const QuantParams& parameters)
{
    const double k = parameters.kind == QuantizerKind::Log2 ? 1.0 : 2.0;
    std::vector<float> values {0.0F, -0.0F, -1.0F, kNan, kInfinity, -kInfinity, 1e-45F, 1e30F};
    for (int q = -2; q <= parameters.maximumCode() + 3; ++q) {
        const auto border
            = static_cast<float>(static_cast<double>(parameters.scales[0]) * std::exp2(-(q + 0.5) / k));
        for (const float value : {std::nextafter(border, 0.0F), border, std::nextafter(border, kInfinity)}) {
            if (value >= std::numeric_limits<float>::min()) {
                values.push_back(value);
            }
        }
    }
    return values;
}

} // namespace

class TestFakeQuantizer : public QObject
{
    Q_OBJECT

private slots:
    void asymmetricGoldenVector()
    {
        // methods.md 9.1 without its two values that are ties in float: codes 0 5 5 5 8 15 minus 5, times 0.2
        const float s = 0.2F;
        const QuantParams affine = params(QuantizerKind::Uniform, kAsymmetric, 4, s, 5);
        QCOMPARE(quantized(affine, {-1.1F, -0.1F, 0.0F, 0.1F, 0.69F, 2.5F}),
            (std::vector<float> {-5.0F * s, 0.0F, 0.0F, 0.0F, 3.0F * s, 10.0F * s}));
        const Tensor weight = Tensor::of<float>({1, 6}, {-1.1F, -0.1F, 0.0F, 0.1F, 0.69F, 2.5F});
        QCOMPARE(weightCodes(weight, affine, 0), (std::vector<std::int32_t> {0, 5, 5, 5, 8, 15}));
    }
    void logSqrt2GoldenVector()
    {
        // methods.md 9.3
        const QuantParams log = params(QuantizerKind::LogSqrt2, kAsymmetric, 4, 1.0F);
        const std::vector<float> values {1.0F, 0.8F, 0.5F, 0.3F, 0.1F, 0.02F, 0.006F, 0.004645F, 0.0F, 7.0F};
        const std::vector<double> expected {
            1.0, 0.70710678, 0.5, 0.35355339, 0.08838835, 0.02209709, 0.00552427, 0.0, 0.0, 1.0};
        const std::vector<float> actual = quantized(log, values);
        for (std::size_t i = 0; i < values.size(); ++i) {
            QVERIFY2(
                std::abs(static_cast<double>(actual[i]) - expected[i]) < 1e-7, std::to_string(i).c_str());
        }
        QCOMPARE(quantized(log, {0.004646F}).front(), actual[6]); // just above 2^-7.75
    }
    void tiesGoToEven()
    {
        const QuantParams half = params(QuantizerKind::Uniform, kSymmetric, 4, 0.5F);
        QCOMPARE(quantized(half, {0.25F, 0.75F, 1.25F, -0.25F, -0.75F, -1.25F}),
            (std::vector<float> {0.0F, 1.0F, 1.0F, 0.0F, -1.0F, -1.0F}));
        const float zero = quantized(half, {-0.25F}).front();
        QVERIFY(!std::signbit(zero)); // round(x / s) + z has no negative zero
    }
    void saturatesAndSurvivesSpecialValues()
    {
        const QuantParams affine = params(QuantizerKind::Uniform, kAsymmetric, 2, 1.0F, 1);
        QCOMPARE(quantized(affine, {-9.0F, 9.0F, kInfinity, -kInfinity, kNan, 3e38F}),
            (std::vector<float> {-1.0F, 2.0F, 2.0F, -1.0F, 0.0F, 2.0F}));
        const QuantParams log = params(QuantizerKind::Log2, kAsymmetric, 4, 0.5F);
        QCOMPARE(quantized(log, {-9.0F, 9.0F, kInfinity, -kInfinity, kNan, 1e-44F}),
            (std::vector<float> {0.0F, 0.5F, 0.5F, 0.0F, 0.0F, 0.0F}));
    }
    void uniformAgreesWithTheDefinition_data();
    void uniformAgreesWithTheDefinition();
    void logarithmicAgreesWithTheDefinition_data();
    void logarithmicAgreesWithTheDefinition();
    void allInstructionSetsGiveTheSameBits();
    void channelsAndHeadsHaveTheirOwnScales();
    void weightsAlongAnyAxis();
    void weightsAreTheSameForAnyThreadCount();
    void refusesParametersThatCannotRun();
};

void TestFakeQuantizer::uniformAgreesWithTheDefinition_data()
{
    QTest::addColumn<int>("bits");
    QTest::addColumn<bool>("isSymmetric");
    for (int bits = kMinBits; bits <= kMaxBits; ++bits) {
        QTest::addRow("asymmetric %d", bits) << bits << false;
        QTest::addRow("symmetric %d", bits) << bits << true;
    }
}

void TestFakeQuantizer::uniformAgreesWithTheDefinition()
{
    QFETCH(const int, bits);
    QFETCH(const bool, isSymmetric);
    for (const float step : {0.25F, 0.1F, 3e-5F}) {
        for (const std::int32_t zeroPoint : {0, 5, -70, 1 << 20, 1 << 24}) {
            const QuantParams parameters = params(QuantizerKind::Uniform,
                isSymmetric ? kSymmetric : kAsymmetric, bits, step, isSymmetric ? 0 : zeroPoint);
            std::vector<float> values;
            for (int i = -400; i <= 400; ++i) { // ties, border neighbours, and both ends
                const float value
                    = (static_cast<float>(i) * 0.5F - static_cast<float>(parameters.zeroPoints[0])) * step;
                values.insert(values.end(),
                    {value, std::nextafter(value, kInfinity), std::nextafter(value, -kInfinity), -value});
            }
            const std::vector<float> actual = quantized(parameters, values);
            for (std::size_t i = 0; i < values.size(); ++i) {
                QCOMPARE(actual[i], samples::reference(values[i], parameters, 0));
            }
        }
    }
}

void TestFakeQuantizer::logarithmicAgreesWithTheDefinition_data()
{
    QTest::addColumn<int>("bits");
    QTest::addColumn<bool>("isSqrt2");
    for (int bits = kMinBits; bits <= kMaxBits; ++bits) {
        QTest::addRow("log2 %d", bits) << bits << false;
        QTest::addRow("log-sqrt2 %d", bits) << bits << true;
    }
}

void TestFakeQuantizer::logarithmicAgreesWithTheDefinition()
{
    QFETCH(const int, bits);
    QFETCH(const bool, isSqrt2);
    const auto kind = isSqrt2 ? QuantizerKind::LogSqrt2 : QuantizerKind::Log2;
    for (const float d : {1.0F, 0.37F, 0.99999994F, 123.4F, 1e-20F}) {
        const QuantParams parameters = params(kind, kAsymmetric, bits, d);
        std::vector<float> values = logarithmicBorders(parameters);
        for (const float value : samples::attention(10, 197, 3, 4.0F)) {
            values.push_back(value * d);
        }
        const std::vector<float> actual = quantized(parameters, values);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const bool isInfinite = values[i] == kInfinity;
            const float expected = isInfinite ? d : samples::reference(values[i], parameters, 0);
            // sqrt2 is rounded to float once, as in the published code: two units in the last place
            const float tolerance = expected * 2.4e-7F;
            const bool isTiny = expected < 4.0F * std::numeric_limits<float>::min(); // subnormal levels are 0
            QVERIFY2(std::abs(actual[i] - expected) <= tolerance || isTiny,
                qPrintable(
                    QString("x %1: %2, not %3").arg(values[i], 0, 'g', 9).arg(actual[i]).arg(expected)));
        }
    }
}

void TestFakeQuantizer::allInstructionSetsGiveTheSameBits()
{
    std::vector<float> values = samples::normal(1003, 7, 0.1F, 0.5F);
    values[17] = kNan;
    values[901] = kInfinity;
    values[902] = -0.0F;
    std::vector<float> steps(values.size());
    std::vector<float> lowest(values.size());
    std::vector<float> highest(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        steps[i] = 0.01F + 0.001F * static_cast<float>(i);
        lowest[i] = -static_cast<float>(i % 16);
        highest[i] = lowest[i] + 15.0F;
    }
    const UniformScale scale {0.07F, -6.0F, 9.0F};
    const auto run = [&](const RowKernels& kernels) {
        std::vector<float> out(5 * values.size());
        kernels.uniform(values.data(), out.data(), values.size(), scale);
        kernels.uniformPerElement(values.data(), out.data() + values.size(), values.size(), steps.data(),
            lowest.data(), highest.data());
        kernels.log2(
            values.data(), out.data() + 2 * values.size(), values.size(), logScale(0.9F, LogBase::Two, 15));
        kernels.logSqrt2(values.data(), out.data() + 3 * values.size(), values.size(),
            logScale(0.9F, LogBase::SqrtTwo, 15));
        std::vector<float> finite = values;
        finite[17] = finite[901] = 0.0F;
        const double error = kernels.uniformError(finite.data(), finite.size(), scale);
        std::vector<std::uint32_t> bits(out.size());
        std::ranges::transform(out, bits.begin(), [](float x) { return std::bit_cast<std::uint32_t>(x); });
        return std::pair {bits, std::bit_cast<std::uint64_t>(error)};
    };
    const auto portable = run(rowKernels(Isa::Portable));
    if (detectIsa() != Isa::Portable) {
        QVERIFY(run(rowKernels(Isa::Avx2)) == portable);
    }
    if (detectIsa() == Isa::Avx512) {
        QVERIFY(run(rowKernels(Isa::Avx512)) == portable);
    }
}

void TestFakeQuantizer::channelsAndHeadsHaveTheirOwnScales()
{
    QuantParams parameters = params(QuantizerKind::Uniform, kAsymmetric, 8, 1.0F);
    parameters.scales = {1.0F, 2.0F, 4.0F};
    parameters.zeroPoints = {0, 10, 0};
    parameters.bounds.resize(3);
    parameters.axis = GroupAxis::Channel;
    QCOMPARE(quantized(parameters, {3.0F, 3.0F, 3.0F}), (std::vector<float> {3.0F, 4.0F, 4.0F}));
    QVERIFY_THROWS_EXCEPTION(Error, quantized(parameters, {3.0F, 3.0F}));
    parameters.axis = GroupAxis::Head;
    QCOMPARE(quantized(parameters, {3.0F, -5.0F}, 1), (std::vector<float> {4.0F, -4.0F}));
    QVERIFY_THROWS_EXCEPTION(Error, quantized(parameters, {3.0F}, 3));
    parameters.kind = QuantizerKind::Log2;
    parameters.zeroPoints = {0, 0, 0};
    QCOMPARE(quantized(parameters, {9.0F, 1.1F}, 2), (std::vector<float> {4.0F, 1.0F}));
    parameters.axis = GroupAxis::Channel;
    QCOMPARE(quantized(parameters, {9.0F, 9.0F, 9.0F}), (std::vector<float> {1.0F, 2.0F, 4.0F}));
    parameters.scales[1] = 2.0F;
    parameters.kind = QuantizerKind::Uniform;
    parameters.zeroPoints = {0, 1 << 30, 0}; // beyond the kernels' reach
    QCOMPARE(quantized(parameters, {3.0F, 3.0F, 3.0F}).front(), 3.0F);
}

void TestFakeQuantizer::weightsAlongAnyAxis()
{
    QuantParams parameters = params(QuantizerKind::Uniform, kSymmetric, 8, 1.0F);
    parameters.scales = {1.0F, 2.0F};
    parameters.zeroPoints = {0, 0};
    parameters.bounds.resize(2);
    const std::vector<float> values {1.4F, 2.6F, 3.4F, 4.6F};
    const std::vector<float> byRow {1.0F, 3.0F, 4.0F, 4.0F};
    const std::vector<float> byColumn {1.0F, 2.0F, 3.0F, 4.0F};
    const auto check = [&](Shape shape, int axis, const std::vector<float>& expected) {
        const Tensor weight = Tensor::of<float>(shape, std::span<const float>(values));
        const Tensor result = fakeQuantizedWeight(weight, parameters, axis);
        const std::vector<std::int32_t> codes = weightCodes(weight, parameters, axis);
        const std::int64_t inner = shape.product(static_cast<std::size_t>(axis) + 1, shape.rank());
        for (std::size_t i = 0; i < 4; ++i) {
            QCOMPARE(result.data<float>()[i], expected[i]);
            const auto channel = static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner % 2);
            QCOMPARE(static_cast<float>(codes[i]) * parameters.scales[channel], expected[i]);
        }
    };
    check({2, 2}, 0, byRow); // [N, K]
    check({2, 2}, 1, byColumn); // [K, N]
    check({2, 1, 2, 1}, 0, byRow); // convolution
    check({1, 2, 2}, 1, byRow);
    check({2, 2, 1}, 1, byColumn);
    const Tensor weight = Tensor::of<float>({4}, std::span<const float>(values));
    QVERIFY_THROWS_EXCEPTION(Error, static_cast<void>(fakeQuantizedWeight(weight, parameters, 0)));
    QVERIFY_THROWS_EXCEPTION(Error, static_cast<void>(fakeQuantizedWeight(weight, parameters, 1)));
    QVERIFY_THROWS_EXCEPTION(Error, static_cast<void>(fakeQuantizedWeight(weight, parameters, -1)));
}

void TestFakeQuantizer::weightsAreTheSameForAnyThreadCount()
{
    const std::vector<float> values = samples::normal(300 * 200, 5);
    const Tensor weight = Tensor::of<float>({300, 200}, std::span<const float>(values));
    QuantParams parameters = params(QuantizerKind::Uniform, kAsymmetric, 4, 1.0F);
    parameters.scales.clear();
    for (int i = 0; i < 200; ++i) {
        parameters.scales.push_back(0.1F + 0.001F * static_cast<float>(i));
    }
    parameters.zeroPoints.assign(200, 7);
    parameters.bounds.resize(200);
    const int threads = threadCount();
    setThreadCount(1);
    const Tensor one = fakeQuantizedWeight(weight, parameters, 1);
    const auto oneCodes = weightCodes(weight, parameters, 1);
    setThreadCount(3);
    const Tensor three = fakeQuantizedWeight(weight, parameters, 1);
    const auto threeCodes = weightCodes(weight, parameters, 1);
    setThreadCount(threads);
    QVERIFY(std::ranges::equal(one.data<float>(), three.data<float>()));
    QVERIFY(oneCodes == threeCodes);
}

void TestFakeQuantizer::refusesParametersThatCannotRun()
{
    const QuantParams good = params(QuantizerKind::Uniform, kAsymmetric, 8, 1.0F);
    for (const float scale : {0.0F, -1.0F, kNan, kInfinity, 1e-40F}) {
        QuantParams bad = good;
        bad.scales = {scale};
        QVERIFY_THROWS_EXCEPTION(Error, FakeQuantizer {bad});
    }
    for (const int bits : {1, 17, -1, 40}) {
        QuantParams bad = good;
        bad.bits = bits;
        QVERIFY_THROWS_EXCEPTION(Error, FakeQuantizer {bad});
    }
    QuantParams bad = good;
    bad.zeroPoints.clear();
    QVERIFY_THROWS_EXCEPTION(Error, FakeQuantizer {bad});
    bad = good;
    bad.scales.clear();
    QVERIFY_THROWS_EXCEPTION(Error, FakeQuantizer {bad});
}

QTEST_GUILESS_MAIN(TestFakeQuantizer)
#include "tst_fake_quantizer.moc"
