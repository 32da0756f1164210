#include "core/tensor/weight_values.h"

#include <QTest>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using namespace qs;

namespace {

/// What the definition of the format says: `mantissaBits` below an exponent of `exponentBits`.
double valueOf(unsigned bits, int exponentBits, int mantissaBits)
{
    const int bias = (1 << (exponentBits - 1)) - 1;
    const int exponent
        = static_cast<int>(bits >> static_cast<unsigned>(mantissaBits)) & ((1 << exponentBits) - 1);
    const int mantissa = static_cast<int>(bits) & ((1 << mantissaBits) - 1);
    const double sign = (bits >> 15U) != 0 ? -1.0 : 1.0;
    if (exponent == (1 << exponentBits) - 1) {
        return mantissa == 0 ? sign * std::numeric_limits<double>::infinity()
                             : std::numeric_limits<double>::quiet_NaN();
    }
    const int whole = exponent == 0 ? mantissa : mantissa + (1 << mantissaBits);
    return sign * std::ldexp(whole, std::max(exponent, 1) - bias - mantissaBits);
}

} // namespace

class TestWeightValues : public QObject
{
    Q_OBJECT

private slots:
    void everyHalfAndEveryBfloatIsExact_data();
    void everyHalfAndEveryBfloatIsExact();
};

void TestWeightValues::everyHalfAndEveryBfloatIsExact_data()
{
    QTest::addColumn<int>("type");
    QTest::addColumn<int>("exponentBits");
    QTest::addColumn<int>("mantissaBits");
    QTest::newRow("F16") << static_cast<int>(DType::F16) << 5 << 10;
    QTest::newRow("BF16") << static_cast<int>(DType::BF16) << 8 << 7;
}

void TestWeightValues::everyHalfAndEveryBfloatIsExact()
{
    QFETCH(int, type);
    QFETCH(int, exponentBits);
    QFETCH(int, mantissaBits);
    std::vector<std::byte> bytes(1 + 2 * 65536); // at an odd address
    for (unsigned bits = 0; bits < 65536; ++bits) {
        bytes[1 + 2 * bits] = static_cast<std::byte>(bits & 0xFFU);
        bytes[2 + 2 * bits] = static_cast<std::byte>(bits >> 8U);
    }
    std::vector<float> values(65536);
    weightsToFloat(static_cast<DType>(type), bytes.data() + 1, values.size(), values.data());
    for (unsigned bits = 0; bits < 65536; ++bits) {
        const double expected = valueOf(bits, exponentBits, mantissaBits);
        const float value = values[bits];
        const bool same = std::isnan(expected)
            ? std::isnan(value)
            : static_cast<double>(value) == expected && std::signbit(value) == std::signbit(expected);
        QVERIFY2(same, qPrintable(QStringLiteral("%1 became %2").arg(bits, 0, 16).arg(value)));
    }
}

QTEST_APPLESS_MAIN(TestWeightValues)
#include "tst_weight_values.moc"
