#include "core/runtime/panel_product.h"
#include "tests/core/runtime/small_transformer.h"

#include <QTest>

#include <cmath>
#include <vector>

using namespace qs;

namespace {

std::vector<float> randomFloats(std::int64_t count, unsigned seed)
{
    std::mt19937 generator(seed);
    const Tensor tensor = qs::testing::randomTensor({count}, generator);
    const auto values = tensor.data<float>();
    return {values.begin(), values.end()};
}

/// The chain that the header promises.
float element(const float* a, const float* column, std::int64_t stride, std::int64_t k, float bias)
{
    float sum = 0.0F;
    for (std::int64_t i = 0; i < k; ++i) {
        sum = hasFusedPanels() ? std::fma(column[i * stride], a[i], sum) : sum + column[i * stride] * a[i];
    }
    return sum + bias;
}

} // namespace

class TestPanelProduct : public QObject
{
    Q_OBJECT
private slots:
    void everyElementIsOneChainOfMultiplyAdds_data()
    {
        QTest::addColumn<int>("m");
        QTest::addColumn<int>("k");
        QTest::addColumn<int>("n");
        QTest::newRow("one value") << 1 << 1 << 1;
        QTest::newRow("less than a panel") << 5 << 3 << 7;
        QTest::newRow("a panel and one column") << 13 << 64 << 17;
        QTest::newRow("two panels") << 12 << 19 << 32;
        QTest::newRow("three panels and a rest") << 25 << 100 << 55;
        QTest::newRow("deeper than a block") << 7 << 600 << 33;
    }
    void everyElementIsOneChainOfMultiplyAdds()
    {
        QFETCH(int, m);
        QFETCH(int, k);
        QFETCH(int, n);
        constexpr std::int64_t kGap = 3; // between rows of a and of c
        const std::vector<float> a = randomFloats(m * (k + kGap), 1);
        const std::vector<float> b = randomFloats(std::int64_t {k} * n, 2);
        const std::vector<float> bias = randomFloats(n, 3);
        for (const bool isTransposed : {false, true}) {
            const std::int64_t strideK = isTransposed ? 1 : n;
            const std::int64_t strideN = isTransposed ? k : 1;
            std::vector<float> packed(static_cast<std::size_t>(packedPanelFloats(k, n)));
            packPanels(b.data(), k, n, strideK, strideN, packed.data());
            std::vector<float> c(static_cast<std::size_t>(m * (n + kGap)), -7.0F);
            multiplyPanels({a.data(), m, k + kGap}, packed.data(), k, n, bias.data(), c.data(), n + kGap);
            for (std::int64_t row = 0; row < m; ++row) {
                for (std::int64_t column = 0; column < n + kGap; ++column) {
                    const float actual = c[static_cast<std::size_t>(row * (n + kGap) + column)];
                    const float expected = column >= n
                        ? -7.0F // not ours
                        : element(a.data() + row * (k + kGap), b.data() + column * strideN, strideK, k,
                            bias[static_cast<std::size_t>(column)]);
                    QVERIFY2(actual == expected,
                        qPrintable(QString::number(row) + QLatin1Char(' ') + QString::number(column)));
                }
            }
        }
    }
};

QTEST_GUILESS_MAIN(TestPanelProduct)
#include "tst_panel_product.moc"
