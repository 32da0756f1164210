#include "core/base/error.h"
#include "core/quant/fake_quantizer.h"
#include "core/quant/shift_product.h"

#include <QTest>

#include <cmath>
#include <limits>
#include <random>

using namespace qs;

namespace {

QuantParams logParams(QuantizerKind kind, int bits, float base)
{
    QuantParams params;
    params.kind = kind;
    params.bits = bits;
    params.scales = {base};
    params.zeroPoints = {0};
    params.bounds.resize(1);
    return params;
}

} // namespace

class TestShiftProduct : public QObject
{
    Q_OBJECT

private slots:
    void goldenCodes() // methods.md 9.3, b = 4, d = 1
    {
        const std::vector<float> x {1.0F, 0.8F, 0.5F, 0.3F, 0.1F, 0.02F, 0.006F, 0.0046F, 0.0F, -1.0F,
            std::numeric_limits<float>::quiet_NaN(), 2.0F};
        const std::vector<std::uint8_t> expected {
            0, 1, 2, 3, 7, 11, 15, kZeroedCode, kZeroedCode, kZeroedCode, kZeroedCode, 0};
        QCOMPARE(logCodes(x, logParams(QuantizerKind::LogSqrt2, 4, 1.0F)), expected);
    }
    void codesMeanWhatTheSimulationComputes_data()
    {
        QTest::addColumn<int>("kind");
        QTest::addColumn<int>("bits");
        for (const int bits : {2, 3, 4, 5}) {
            QTest::addRow("log2, %d bits", bits) << static_cast<int>(QuantizerKind::Log2) << bits;
            QTest::addRow("log-sqrt2, %d bits", bits) << static_cast<int>(QuantizerKind::LogSqrt2) << bits;
        }
        QTest::addRow("log-sqrt2, 6 bits") << static_cast<int>(QuantizerKind::LogSqrt2) << 6;
    }
    void codesMeanWhatTheSimulationComputes()
    {
        QFETCH(int, kind);
        QFETCH(int, bits);
        constexpr std::size_t keys = 197;
        constexpr std::size_t width = 7;
        std::mt19937 random(static_cast<unsigned>(bits));
        std::exponential_distribution<float> mass(40.0F);
        std::vector<float> p(keys);
        for (float& value : p) {
            value = std::min(mass(random), 1.0F);
        }
        p[3] = 0.93F;
        const QuantParams params = logParams(static_cast<QuantizerKind>(kind), bits, 0.87F);
        std::vector<float> simulated(keys);
        FakeQuantizer(params).transformRow(0, p, simulated.data());
        std::vector<std::int32_t> v(keys * width);
        for (std::int32_t& code : v) {
            code = static_cast<std::int32_t>(random() % 16);
        }
        constexpr std::int32_t zeroPoint = 6;
        constexpr float step = 0.17F;
        const ShiftSums sums = shiftProduct(logCodes(p, params), params, v, zeroPoint, width);
        const std::vector<double> product = scaledProduct(sums, params, step);
        bool anything = false;
        for (std::size_t c = 0; c < width; ++c) {
            double expected = 0.0; // the float simulation's operands, added up exactly
            for (std::size_t key = 0; key < keys; ++key) {
                expected += static_cast<double>(simulated[key])
                    * ((v[key * width + c] - zeroPoint) * static_cast<double>(step));
            }
            QVERIFY(std::abs(product[c] - expected) <= 1e-13 * (1.0 + std::abs(expected)));
            anything = anything || expected != 0.0;
        }
        QVERIFY(anything);
    }
    void whatDoesNotFitIsRefused()
    {
        const QuantParams wide = logParams(QuantizerKind::Log2, 6, 1.0F);
        QVERIFY_THROWS_EXCEPTION(Error, (void)shiftProduct({}, wide, {}, 0, 1));
        QuantParams uniform = wide;
        uniform.kind = QuantizerKind::Uniform;
        const std::vector<float> x {1.0F};
        QVERIFY_THROWS_EXCEPTION(Error, (void)logCodes(x, uniform));
    }
};

QTEST_APPLESS_MAIN(TestShiftProduct)
#include "tst_shift_product.moc"
