#include "core/runtime/row_functions.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace qs;

/// Against the C library's double-precision functions.
class TestRowFunctions : public QObject
{
    Q_OBJECT

    using Function = void (*)(const float*, float*, std::int64_t);

    /// Largest |f(x) - expected(x)| / max(1, |expected|) for x in [lower, upper].
    template<typename Expected>
    static double worst(Function f, double lower, double upper, Expected expected)
    {
        std::vector<float> x;
        for (int i = 0; i <= 100003; ++i) { // not a multiple of any vector width
            x.push_back(static_cast<float>(lower + (upper - lower) * i / 100003.0));
        }
        std::vector<float> y(x.size());
        f(x.data(), y.data(), static_cast<std::int64_t>(x.size()));
        double error = 0.0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double e = expected(static_cast<double>(x[i]));
            error = std::max(error, std::abs(static_cast<double>(y[i]) - e) / std::max(1.0, std::abs(e)));
        }
        return error;
    }

private slots:
    void matchTheCLibrary()
    {
        const RowFunctions& f = rowFunctions();
        QVERIFY(worst(f.exp, -90.0, 88.0, [](double x) { return std::exp(x); }) < 3e-7);
        QVERIFY(worst(f.erf, -6.0, 6.0, [](double x) { return std::erf(x); }) < 1.2e-7);
        QVERIFY(worst(f.tanh, -12.0, 12.0, [](double x) { return std::tanh(x); }) < 2e-7);
        const auto gelu = [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); };
        QVERIFY(worst(f.gelu, -12.0, 12.0, gelu) < 2e-7);
        QVERIFY(worst(f.swish, -12.0, 12.0, [](double x) { return x / (1.0 + std::exp(-x)); }) < 4e-7);
    }
    void keepsSpecialValues()
    {
        constexpr float kInf = std::numeric_limits<float>::infinity();
        const float x[5] {0.0F, -kInf, kInf, std::nanf(""), -1e30F};
        float y[5];
        rowFunctions().exp(x, y, 5);
        QVERIFY(y[0] == 1.0F && y[1] == 0.0F && y[2] == kInf && std::isnan(y[3]) && y[4] == 0.0F);
        rowFunctions().erf(x, y, 5);
        QVERIFY(y[0] == 0.0F && y[1] == -1.0F && y[2] == 1.0F && std::isnan(y[3]) && y[4] == -1.0F);
    }
    void softmaxRowsSumToOne()
    {
        constexpr float kInf = std::numeric_limits<float>::infinity();
        std::vector<float> x(197);
        for (std::size_t i = 0; i < x.size(); ++i) {
            x[i] = std::sin(static_cast<float>(i)) * 20.0F;
        }
        x[3] = -kInf; // a masked position
        std::vector<float> y(x.size());
        rowFunctions().softmax(x.data(), y.data(), 197);
        double total = 0.0;
        double expectedTotal = 0.0;
        const double top = static_cast<double>(*std::ranges::max_element(x));
        for (const float v : x) {
            expectedTotal += std::exp(static_cast<double>(v) - top);
        }
        for (std::size_t i = 0; i < x.size(); ++i) {
            total += static_cast<double>(y[i]);
            const double expected = std::exp(static_cast<double>(x[i]) - top) / expectedTotal;
            QVERIFY(std::abs(static_cast<double>(y[i]) - expected)
                <= 3e-6 * expected + 1e-38); // x - max is rounded: 40 * 2^-24
        }
        QVERIFY(std::abs(total - 1.0) < 1e-6);
        QCOMPARE(y[3], 0.0F);
    }
    void rmsNormDividesByTheRootOfTheMeanSquare()
    {
        std::vector<float> x(67);
        std::vector<float> gamma(67);
        double squares = 0.0;
        for (std::size_t i = 0; i < x.size(); ++i) {
            x[i] = std::sin(static_cast<float>(i)) * 9.0F;
            gamma[i] = 1.0F + static_cast<float>(i) / 64.0F;
            squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
        }
        std::vector<float> y(x.size());
        rowFunctions().rmsNorm(x.data(), gamma.data(), 1e-5F, y.data(), 67);
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double expected = static_cast<double>(x[i]) / std::sqrt(squares / 67.0 + 1e-5)
                * static_cast<double>(gamma[i]);
            QVERIFY(std::abs(static_cast<double>(y[i]) - expected) <= 4e-7 * std::abs(expected));
        }
    }
    void layerNormOfAConstantRowIsBeta()
    {
        const std::vector<float> x(23, 4.0F);
        const std::vector<float> gamma(23, 3.0F);
        const std::vector<float> beta(23, 0.5F);
        std::vector<float> y(23);
        rowFunctions().layerNorm(x.data(), gamma.data(), beta.data(), 1e-6F, y.data(), 23);
        QCOMPARE(y, beta);
    }
};

QTEST_GUILESS_MAIN(TestRowFunctions)
#include "tst_row_functions.moc"
