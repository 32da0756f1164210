#include "core/eval/evaluate.h"
#include "core/eval/metrics.h"
#include "core/eval/model_feeds.h"
#include "core/io/data_source.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

using namespace qs;

/// The keyword transformer on its recordings, against ONNX Runtime (tests/reference/make_kwt1_labels.mjs).
class TestKeywordSpotting : public QObject
{
    Q_OBJECT
private slots:
    void classesAreThoseOfOnnxRuntime()
    {
        QFile file(QStringLiteral(QS_TEST_DATA "/kwt1_labels.json"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QJsonObject expected = QJsonDocument::fromJson(file.readAll()).object();
        const std::filesystem::path folder = std::string(QS_SHARED_DATA) + "/models/kwt1";
        const auto model = loadModel(folder / "model.onnx");
        QCOMPARE(model->task, ModelTask::Classification);
        const auto data = openData(folder / "clips", *model);
        QCOMPARE(data->size(), std::int64_t {expected.size()});
        const ValueId output = model->graph->outputs().front();
        Executor executor(model);
        std::int64_t right = 0;
        for (std::int64_t i = 0; i < data->size(); ++i) {
            const auto feeds = feedsOf(*model->graph, loadBatch(*data, i, 1));
            const Tensor logits = executor.run(feeds, {&output, 1}).front();
            const QString name = QString::fromStdString(data->sampleName(i));
            const auto found = static_cast<int>(topClass(logits.data<float>()));
            QVERIFY2(expected[name].toArray()[0].toInt(-1) == found, qPrintable(name));
            right += found == data->label(i) ? 1 : 0;
        }
        QCOMPARE(right, std::int64_t {85});
        const Fp32Reference reference = computeReference(executor, *data, 0);
        QVERIFY(std::abs(*reference.metrics.top1Percent - 100.0 * 85.0 / 88.0) < 1e-9);
    }
};

QTEST_GUILESS_MAIN(TestKeywordSpotting)
#include "tst_keyword_spotting.moc"
