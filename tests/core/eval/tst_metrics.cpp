#include "core/base/error.h"
#include "core/eval/metrics_accumulator.h"

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
    void languageModelsAgreeWithNumpyInAnyBatches()
    {
        QFile file(QStringLiteral(QS_TEST_DATA "/metrics.json"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QJsonObject json
            = QJsonDocument::fromJson(file.readAll()).object()[QStringLiteral("language")].toObject();
        const QJsonArray shape = json["shape"].toArray();
        const std::int64_t samples = shape[0].toInt();
        const std::int64_t length = shape[1].toInt();
        const std::int64_t classes = shape[2].toInt();
        const Tensor actual = logitsFrom(json["actual"].toArray(), classes);
        const Tensor reference = logitsFrom(json["reference"].toArray(), classes);
        std::vector<std::int64_t> ids;
        for (const auto& id : json["ids"].toArray()) {
            ids.push_back(id.toInt());
        }
        std::optional<Metrics> first;
        for (const std::int64_t batch : {samples, std::int64_t {2}, std::int64_t {1}}) {
            MetricsAccumulator accumulator(ModelTask::LanguageModel);
            for (std::int64_t begin = 0; begin < samples; begin += batch) {
                const std::int64_t count = std::min(batch, samples - begin);
                const auto rows = [&](const Tensor& all) {
                    const auto size = static_cast<std::size_t>(length * classes);
                    return Tensor::of<float>(Shape {count, length, classes},
                        all.data<float>().subspan(static_cast<std::size_t>(begin) * size,
                            static_cast<std::size_t>(count) * size));
                };
                const Tensor tokens = Tensor::of<std::int64_t>(Shape {count, length},
                    std::span(ids).subspan(static_cast<std::size_t>(begin * length),
                        static_cast<std::size_t>(count * length)));
                accumulator.add(rows(actual), rows(reference), nextTokens(tokens));
            }
            const Metrics metrics = accumulator.result();
            QCOMPARE(metrics.samples, samples);
            QCOMPARE(metrics.tokens, std::int64_t {json["tokens"].toInt()});
            QVERIFY(std::abs(*metrics.nllNats - json["nll"].toDouble()) < 1e-12);
            QVERIFY(std::abs(*metrics.perplexity() - json["perplexity"].toDouble()) < 1e-10);
            QCOMPARE(*metrics.top1Percent, json["top1"].toDouble());
            QCOMPARE(*metrics.top5Percent, json["top5"].toDouble());
            QCOMPARE(metrics.agreementPercent, json["agreement"].toDouble());
            QVERIFY(std::abs(metrics.klNats - json["kl"].toDouble()) < 1e-12);
            QVERIFY(std::abs(metrics.logitsSqnrDb - json["sqnr_db"].toDouble()) < 1e-10);
            first = first.value_or(metrics);
            QVERIFY(metrics.nllNats == first->nllNats && metrics.klNats == first->klNats
                && metrics.logitsSqnrDb == first->logitsSqnrDb); // to the bit
        }
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
        QVERIFY_EXCEPTION_THROWN((void)computeMetrics(a, a, {1, 2}), Error); // two labels for one sample
        QVERIFY_EXCEPTION_THROWN((void)nextTokens(a), Error); // no integers
    }
};

QTEST_GUILESS_MAIN(TestMetrics)
#include "tst_metrics.moc"
