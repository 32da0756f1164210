#include "core/quant/ada_log.h"
#include "core/quant/fake_quantizer.h"
#include "core/quant/quantizer_cells.h"
#include "core/quant/resolve.h"
#include "core/quant/scale.h"
#include "tests/core/quant/quant_samples.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <bit>
#include <cmath>

using namespace qs;

namespace {

/// Floats that the file holds as bit patterns.
std::vector<float> floats(const QJsonValue& list)
{
    std::vector<float> values;
    for (const QJsonValue& bits : list.toArray()) {
        values.push_back(std::bit_cast<float>(static_cast<std::int32_t>(bits.toInteger())));
    }
    return values;
}

std::vector<std::int32_t> integers(const QJsonValue& list)
{
    std::vector<std::int32_t> values;
    for (const QJsonValue& value : list.toArray()) {
        values.push_back(value.toInt());
    }
    return values;
}

Tensor matrix(const std::vector<float>& values, std::int64_t rows)
{
    const auto columns = static_cast<std::int64_t>(values.size()) / rows;
    return Tensor::of<float>({rows, columns}, std::span<const float>(values));
}

double rowError(const Tensor& weight, const QuantParams& params, std::size_t row)
{
    const Tensor quantized = fakeQuantizedWeight(weight, params, 0);
    const auto columns = static_cast<std::size_t>(weight.shape()[1]);
    double error = 0.0;
    for (std::size_t i = row * columns; i < (row + 1) * columns; ++i) {
        const double difference
            = static_cast<double>(weight.data<float>()[i]) - static_cast<double>(quantized.data<float>()[i]);
        error += difference * difference;
    }
    return error;
}

} // namespace

/// Against PyTorch and NumPy: tests/data/quant/references.json by tests/reference/make_quant.py.
class TestQuantReferences : public QObject
{
    Q_OBJECT

private slots:
    void initTestCase()
    {
        QFile file(QStringLiteral(QS_TEST_DATA "/quant/references.json"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        m_data = QJsonDocument::fromJson(file.readAll()).object();
        QVERIFY(!m_data.isEmpty());
    }

    /// Scales, zero points, codes and values bit for bit.
    void uniformLikePyTorch()
    {
        int cases = 0;
        for (const QJsonValue& value : m_data["uniform"].toArray()) {
            const QJsonObject expected = value.toObject();
            SiteChoice choice;
            choice.method = BoundMethod::Manual;
            choice.bits = expected["bits"].toInt();
            choice.symmetry = expected["symmetric"].toBool() ? Symmetry::Symmetric : Symmetry::Asymmetric;
            const std::vector<float> lower = floats(expected["lower"]);
            const std::vector<float> upper = floats(expected["upper"]);
            choice.granularity = lower.size() == 1 ? Granularity::Tensor : Granularity::Group;
            for (std::size_t i = 0; i < lower.size(); ++i) {
                choice.manualBounds.push_back({static_cast<double>(lower[i]), static_cast<double>(upper[i])});
            }
            const Tensor x = matrix(floats(expected["x"]), 4);
            const QuantParams params = resolveWeight(choice, x, 0);
            QCOMPARE(params.scales, floats(expected["scale"]));
            QCOMPARE(params.zeroPoints, integers(expected["zero_point"]));
            QCOMPARE(weightCodes(x, params, 0), integers(expected["codes"]));
            const Tensor y = fakeQuantizedWeight(x, params, 0);
            QVERIFY(std::ranges::equal(y.data<float>(), floats(expected["y"])));
            ++cases;
        }
        QCOMPARE(cases, 30);
    }

    void logarithmicLikeNumPy()
    {
        const QJsonObject data = m_data["logarithmic"].toObject();
        const std::vector<float> x = floats(data["x"]);
        const QJsonArray cases = data["cases"].toArray();
        QCOMPARE(cases.size(), 36);
        for (const QJsonValue& value : cases) {
            const QJsonObject expected = value.toObject();
            const auto kind = expected["kind"].toString() == QStringLiteral("log2") ? QuantizerKind::Log2
                                                                                    : QuantizerKind::LogSqrt2;
            const QuantParams params = samples::params(
                kind, Symmetry::Asymmetric, expected["bits"].toInt(), floats(expected["d"]).front());
            std::vector<float> y(x.size());
            FakeQuantizer(params).transformRow(0, x, y.data());
            const QJsonArray wanted = expected["y"].toArray();
            for (std::size_t i = 0; i < x.size(); ++i) {
                const double exact = wanted[static_cast<qsizetype>(i)].toDouble();
                QVERIFY2(std::abs(static_cast<double>(y[i]) - exact) <= 2.4e-7 * exact,
                    qPrintable(QString("x %1: %2, not %3").arg(x[i]).arg(y[i]).arg(exact)));
            }
        }
    }

    void adaLogLikeNumPy()
    {
        const QJsonObject data = m_data["adalog"].toObject();
        const std::vector<float> x = floats(data["x"]);
        const QJsonArray cases = data["cases"].toArray();
        QCOMPARE(cases.size(), 60);
        for (const QJsonValue& value : cases) {
            const QJsonObject expected = value.toObject();
            const int bits = expected["bits"].toInt();
            const float d = floats(expected["d"]).front();
            const QuantParams params = paramsForBounds(QuantizerKind::AdaLog, Symmetry::Asymmetric, bits,
                adaLogBounds(static_cast<double>(d), expected["base"].toInt()));
            QCOMPARE(adaLogBase(params.bounds.front()), expected["base"].toInt());
            std::vector<float> y(x.size());
            FakeQuantizer(params).transformRow(0, x, y.data());
            const QuantizerCells cells(params, 0);
            const QJsonArray wanted = expected["y"].toArray();
            for (std::size_t i = 0; i < x.size(); ++i) {
                const double exact = wanted[static_cast<qsizetype>(i)].toDouble();
                QVERIFY2(std::abs(static_cast<double>(y[i]) - exact) <= 1e-6 * exact,
                    qPrintable(QString("x %1: %2, not %3").arg(x[i]).arg(y[i]).arg(exact)));
                const double level = cells.level(cells.cellOf(static_cast<double>(x[i])));
                QVERIFY(std::abs(level - exact) <= 1e-6 * exact);
            }
        }
    }

    /// Within a thousandth of the least error over all bases; on these values sqrt2 is worse.
    void adaLogBaseIsSearched()
    {
        const QJsonObject data = m_data["adalog"].toObject();
        const Tensor values = matrix(floats(data["searched"]), 1);
        for (const QJsonValue& value : data["searches"].toArray()) {
            const QJsonObject expected = value.toObject();
            SiteChoice choice;
            choice.kind = QuantizerKind::AdaLog;
            choice.bits = expected["bits"].toInt();
            for (const BoundMethod method :
                {BoundMethod::MinMax, BoundMethod::Percentile, BoundMethod::Mse}) {
                choice.method = method;
                const double error = rowError(values, resolveWeight(choice, values, 0), 0);
                if (method == BoundMethod::MinMax) {
                    QVERIFY(error <= 1.001 * expected["error"].toDouble());
                    QVERIFY(error >= (1.0 - 1e-5) * expected["error"].toDouble());
                    QVERIFY(error < 0.99 * expected["sqrt2_error"].toDouble());
                } else {
                    QVERIFY(method != BoundMethod::Mse || error <= 1.001 * expected["error"].toDouble());
                }
            }
        }
    }

    void percentileChoosesLikePyTorch()
    {
        const QJsonObject data = m_data["percentile"].toObject();
        const Tensor weight = matrix(floats(data["weight"]), data["rows"].toInt());
        for (const QJsonValue& value : data["cases"].toArray()) {
            const QJsonObject expected = value.toObject();
            SiteChoice choice;
            choice.method = BoundMethod::Percentile;
            choice.granularity = Granularity::Group;
            choice.bits = expected["bits"].toInt();
            const QuantParams params = resolveWeight(choice, weight, 0);
            const QJsonArray bounds = expected["bounds"].toArray();
            for (std::size_t row = 0; row < params.bounds.size(); ++row) {
                const QJsonArray pair = bounds[static_cast<qsizetype>(row)].toArray();
                QCOMPARE(params.bounds[row].lower, pair[0].toDouble());
                QCOMPARE(params.bounds[row].upper, pair[1].toDouble());
                const double error = expected["errors"].toArray()[static_cast<qsizetype>(row)].toDouble();
                QVERIFY(std::abs(rowError(weight, params, row) - error) < 1e-9 * error);
            }
        }
    }

    /// The search looks at some 60 of the 9216 intervals of the grid.
    void leastSquaresComesCloseToTheFullGrid()
    {
        const QJsonObject data = m_data["least_squares"].toObject();
        const Tensor weight = matrix(floats(data["weight"]), data["rows"].toInt());
        for (const QJsonValue& value : data["cases"].toArray()) {
            const QJsonObject expected = value.toObject();
            SiteChoice choice;
            choice.method = BoundMethod::Mse;
            choice.granularity = Granularity::Group;
            choice.bits = expected["bits"].toInt();
            const QuantParams params = resolveWeight(choice, weight, 0);
            for (std::size_t row = 0; row < params.bounds.size(); ++row) {
                const double grid = expected["errors"].toArray()[static_cast<qsizetype>(row)].toDouble();
                const double error = rowError(weight, params, row);
                QVERIFY2(error >= 0.999 * grid && error <= 1.1 * grid,
                    qPrintable(QString("%1 bits, row %2: %3 times the grid's least")
                                   .arg(choice.bits)
                                   .arg(row)
                                   .arg(error / grid)));
            }
        }
    }

private:
    QJsonObject m_data;
};

QTEST_GUILESS_MAIN(TestQuantReferences)
#include "tst_quant_references.moc"
