#include "core/base/error.h"
#include "core/eval/metrics.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <cmath>

using namespace qs;

namespace {

Tensor logitsFrom(const QJsonArray& values, std::int64_t classes)
{
    std::vector<float> numbers;
    for (const auto& value : values) {
        numbers.push_back(static_cast<float>(value.toDouble()));
    }
    return Tensor::of<float>(Shape {static_cast<std::int64_t>(numbers.size()) / classes, classes}, numbers);
}

} // namespace

class TestMetrics : public QObject
{
    Q_OBJECT
private slots:
    void agreesWithNumpy()
    {
        QFile file(QStringLiteral(QS_TEST_DATA "/metrics.json"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QJsonObject json = QJsonDocument::fromJson(file.readAll()).object();
        const auto classes = static_cast<std::int64_t>(json["classes"].toInt());
        std::vector<std::optional<int>> labels;
        for (const auto& label : json["labels"].toArray()) {
            labels.emplace_back(label.toInt());
        }
        const Metrics metrics = computeMetrics(logitsFrom(json["actual"].toArray(), classes),
            logitsFrom(json["reference"].toArray(), classes), labels);
        QCOMPARE(metrics.samples, std::int64_t {40});
        QCOMPARE(*metrics.top1Percent, json["top1"].toDouble());
        QCOMPARE(*metrics.top5Percent, json["top5"].toDouble());
        QCOMPARE(metrics.agreementPercent, json["agreement"].toDouble());
        QVERIFY(std::abs(metrics.klNats - json["kl"].toDouble()) < 1e-12);
        QVERIFY(std::abs(metrics.logitsSqnrDb - json["sqnr_db"].toDouble()) < 1e-10);
    }
    void equalLogitsHaveNoError()
    {
        const Tensor logits = Tensor::of<float>(Shape {2, 3}, {1.0F, 2.0F, 3.0F, 5.0F, 5.0F, 0.0F});
        const Metrics metrics = computeMetrics(logits, logits, {2, 1});
        QCOMPARE(metrics.klNats, 0.0);
        QVERIFY(std::isinf(metrics.logitsSqnrDb));
        QCOMPARE(metrics.agreementPercent, 100.0);
        QCOMPARE(*metrics.top1Percent, 50.0); // of equal logits the lower index wins: the second sample is class 0
    }
    void withoutLabelsThereIsNoTop1()
    {
        const Tensor logits = Tensor::of<float>(Shape {1, 2}, {1.0F, 2.0F});
        QVERIFY(!computeMetrics(logits, logits, {std::nullopt}).top1Percent);
        QVERIFY(!computeMetrics(logits, logits, {}).top1Percent);
        QVERIFY(!computeMetrics(logits, logits, {7}).top1Percent); // no such class
    }
    void shapesMustAgree()
    {
        const Tensor a = Tensor::of<float>(Shape {1, 2}, {1.0F, 2.0F});
        const Tensor b = Tensor::of<float>(Shape {2, 1}, {1.0F, 2.0F});
        QVERIFY_EXCEPTION_THROWN((void)computeMetrics(a, b, {}), Error);
    }
};

QTEST_GUILESS_MAIN(TestMetrics)
#include "tst_metrics.moc"
