#include "core/eval/evaluate.h"
#include "core/io/data_source.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <cmath>

using namespace qs;

/// The trained story model against the mean NLL that comes with it.
class TestStoryModel : public QObject
{
    Q_OBJECT
private slots:
    void meanNllToFourDigits()
    {
        const std::string folder = std::string(QS_SHARED_DATA) + "/models/stories260k";
        QFile file(QString::fromStdString(folder + "/expected.json"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QJsonObject expected = QJsonDocument::fromJson(file.readAll()).object();
        const auto model = loadModel(folder + "/model.onnx");
        QCOMPARE(model->task, ModelTask::LanguageModel);
        const auto data = openData(folder + "/input_ids.npy", *model);
        Executor executor(model);
        const Metrics metrics = computeReference(executor, *data, 0).metrics;
        QCOMPARE(metrics.samples, std::int64_t {expected[QStringLiteral("sequences")].toInt()});
        QCOMPARE(
            metrics.tokens, metrics.samples * (expected[QStringLiteral("tokens_per_sequence")].toInt() - 1));
        const double nll = expected[QStringLiteral("mean_nll_nats")].toDouble();
        QVERIFY2(
            std::abs(*metrics.nllNats - nll) < 5e-5, qPrintable(QString::number(*metrics.nllNats, 'g', 10)));
        QVERIFY(std::abs(*metrics.perplexity() - std::exp(*metrics.nllNats)) < 1e-12);
    }
};

QTEST_GUILESS_MAIN(TestStoryModel)
#include "tst_story_model.moc"
