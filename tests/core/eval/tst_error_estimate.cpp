#include "core/base/error.h"
#include "core/eval/error_estimate.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <cmath>

using namespace qs;
using namespace Qt::StringLiterals;

namespace {

QJsonObject reference()
{
    QFile file(QStringLiteral(QS_TEST_DATA "/error_estimate.json"));
    return file.open(QIODevice::ReadOnly) ? QJsonDocument::fromJson(file.readAll()).object() : QJsonObject();
}

/// Student's quantile is good to 1e-3, and so are the ends.
bool isNear(const Interval& actual, const QJsonArray& expected)
{
    const double half = expected[2].toDouble() - expected[1].toDouble();
    return std::abs(actual.value - expected[0].toDouble()) < 1e-9 * std::abs(expected[0].toDouble())
        && std::abs(actual.lower - expected[1].toDouble()) <= 1e-3 * half
        && std::abs(actual.upper - expected[2].toDouble()) <= 1e-3 * half;
}

} // namespace

class TestErrorEstimate : public QObject
{
    Q_OBJECT
private slots:
    void intervalsAgreeWithNumpy()
    {
        const QJsonArray cases = reference()["cases"].toArray();
        QCOMPARE(cases.size(), 4);
        for (const auto& entry : cases) {
            const QJsonObject json = entry.toObject();
            const QJsonArray kl = json["kl"].toArray();
            std::vector<SampleError> samples;
            for (int i = 0; i < kl.size(); ++i) {
                samples.push_back({kl[i].toDouble(), json["agreement"].toArray()[i].toDouble(),
                    json["signal"].toArray()[i].toDouble(), json["noise"].toArray()[i].toDouble()});
            }
            const ErrorEstimate estimate = estimateErrors(samples);
            const QJsonObject expected = json["expected"].toObject();
            QCOMPARE(estimate.samples, std::int64_t {kl.size()});
            QVERIFY(isNear(estimate.klNats, expected["kl"].toArray()));
            QVERIFY(isNear(estimate.sqnrDb, expected["sqnr"].toArray()));
            QVERIFY(isNear(estimate.agreementPercent, expected["agreement"].toArray()));
        }
    }
    void studentsQuantilesAgreeWithTheIntegral()
    {
        for (const auto& entry : reference()["student"].toArray()) {
            const QJsonArray pair = entry.toArray();
            const double expected = pair[1].toDouble();
            QVERIFY(std::abs(studentQuantile(pair[0].toInt()) - expected) < 1e-3 * expected);
        }
    }
    void oneSampleSaysNothingOfOthers()
    {
        const SampleError sample {0.25, 1.0, 100.0, 1.0};
        const ErrorEstimate estimate = estimateErrors({&sample, 1});
        QCOMPARE(estimate.sqnrDb.value, 20.0);
        QVERIFY(std::isinf(estimate.sqnrDb.upper) && std::isinf(estimate.sqnrDb.lower));
        QCOMPARE(estimate.klNats.lower, 0.0);
        QVERIFY(std::isinf(estimate.klNats.upper));
        QCOMPARE(estimate.agreementPercent.lower, 0.0);
        QCOMPARE(estimate.agreementPercent.upper, 100.0);
    }
    void equalLogitsHaveNoError()
    {
        const std::vector<SampleError> samples(5, SampleError {0.0, 1.0, 7.0, 0.0});
        const ErrorEstimate estimate = estimateErrors(samples);
        QVERIFY(std::isinf(estimate.sqnrDb.value) && estimate.sqnrDb.value > 0.0);
        QCOMPARE(estimate.klNats.upper, 0.0);
        QCOMPARE(estimate.agreementPercent.value, 100.0);
        QVERIFY(estimate.agreementPercent.lower < 60.0); // five of five may still be three of five elsewhere
    }
    void thereMustBeSamples() { QVERIFY_EXCEPTION_THROWN((void)estimateErrors({}), Error); }
};

QTEST_GUILESS_MAIN(TestErrorEstimate)
#include "tst_error_estimate.moc"
