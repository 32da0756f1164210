#include "app/jobs/live_error.h"
#include "app/jobs/session_tasks.h"
#include "core/eval/evaluate.h"
#include "core/io/npy_file.h"
#include "core/io/spread_source.h"

#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

using namespace qs;

namespace {

const QString kModel = QStringLiteral(QS_TEST_DATA "/tiny_vit_timm");

void writeSamples(const QString& file, std::int64_t count)
{
    Tensor samples(DType::F32, Shape {count, 3, 16, 16});
    std::uint32_t state = 9;
    for (float& value : samples.mutableData<float>()) {
        state = state * 1664525U + 1013904223U;
        value = static_cast<float>(state >> 8U) / 8388608.0F - 1.0F;
    }
    writeNpy(file.toStdString(), samples);
}

void writeText(const QString& path, const QByteArray& text)
{
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(text);
}

} // namespace

class TestSessionTasks : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    QString m_samples;

    [[nodiscard]] QString at(const char* name) const { return m_folder.filePath(QLatin1String(name)); }

    struct Document
    {
        Session session;
        JobRunner runner;
        SessionTasks tasks {&session, &runner};
        QSignalSpy failures {&tasks, &SessionTasks::failed};
    };

    void open(Document& document)
    {
        document.tasks.openModel(kModel, m_samples, m_samples);
        QTRY_VERIFY_WITH_TIMEOUT(document.session.calibration() != nullptr, 30000);
        QTRY_VERIFY_WITH_TIMEOUT(document.session.evaluationData() != nullptr, 30000);
        QTRY_VERIFY_WITH_TIMEOUT(document.runner.isIdle(), 30000);
        QCOMPARE(document.failures.size(), 0);
    }

private slots:
    void initTestCase()
    {
        QVERIFY(m_folder.isValid());
        m_samples = at("samples.npy");
        writeSamples(m_samples, 12);
    }
    void opensAModelAndItsDataAndCalibrates()
    {
        Document document;
        open(document);
        const Session& session = document.session;
        QCOMPARE(session.calibration()->sampleCount, std::int64_t {12});
        for (const Site& site : session.model()->sites) {
            QVERIFY(session.plan().find(site.name) != nullptr);
            if (site.kind == SiteKind::Activation) {
                QVERIFY2(session.calibration()->find(site.name) != nullptr, site.name.c_str());
            }
        }
    }
    void evaluationAndSensitivityArePublishedWithTheirRevision()
    {
        Document document;
        open(document);
        Session& session = document.session;
        document.tasks.evaluate();
        document.tasks.measureSensitivity();
        document.tasks.computeSiteErrors();
        const int revision = session.revision();
        QTRY_VERIFY_WITH_TIMEOUT(document.runner.isIdle(), 60000);
        QVERIFY(session.evaluation().value != nullptr);
        QCOMPARE(session.evaluation().revision, revision);
        QCOMPARE(session.evaluation().value->metrics.samples, std::int64_t {12});
        QCOMPARE(session.sensitivity().value->size(), session.model()->sites.size());
        QCOMPARE(session.siteErrors().value->size(), session.model()->sites.size());
        QVERIFY(session.evaluation().value->metrics.logitsSqnrDb > 15.0); // W8A8 of a tiny model
    }
    void theProfileGivesEverySiteItsTime()
    {
        Document empty;
        empty.tasks.profile();
        QCOMPARE(empty.failures.size(), 1);
        Document document;
        open(document);
        Session& session = document.session;
        QSignalSpy changed(&session, &Session::siteTimesChanged);
        document.tasks.profile();
        QTRY_VERIFY_WITH_TIMEOUT(document.runner.isIdle(), 60000);
        QCOMPARE(changed.size(), 1);
        QVERIFY(session.siteTimes() != nullptr);
        QCOMPARE(session.siteTimes()->size(), session.model()->sites.size());
        QVERIFY(session.siteTimes()->at("blocks.0.mlp.fc1.weight") > 0.0);
        session.openModel(session.model());
        QVERIFY(session.siteTimes() == nullptr);
    }
    void badFilesLeaveTheDocumentUntouched_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::newRow("folder without a model") << QStringLiteral("empty");
        QTest::newRow("config that is not JSON") << QStringLiteral("config");
        QTest::newRow("truncated weights") << QStringLiteral("weights");
        QTest::newRow("onnx that is none") << QStringLiteral("onnx");
        QTest::newRow("missing path") << QStringLiteral("missing");
        QTest::newRow("calibration data that is none") << QStringLiteral("data");
        QTest::newRow("recipe that is none") << QStringLiteral("recipe");
    }
    void badFilesLeaveTheDocumentUntouched()
    {
        QFETCH(QString, kind);
        Document document;
        open(document);
        Session& session = document.session;
        SiteChoice choice = session.choice("blocks.0.attn.qkv.input");
        choice.bits = 5;
        session.edit({{"blocks.0.attn.qkv.input", choice}}, QStringLiteral("edit"));
        const auto model = session.model();
        const auto calibration = session.calibration();
        const Plan plan = session.plan();

        QTemporaryDir bad;
        QString path = bad.path();
        if (kind == QLatin1String("config")) {
            writeText(bad.filePath(QStringLiteral("config.json")), "{\"architecture\": ");
        } else if (kind == QLatin1String("weights")) {
            QVERIFY(QFile::copy(
                kModel + QStringLiteral("/config.json"), bad.filePath(QStringLiteral("config.json"))));
            QFile whole(kModel + QStringLiteral("/model.safetensors"));
            QVERIFY(whole.open(QIODevice::ReadOnly));
            writeText(bad.filePath(QStringLiteral("model.safetensors")), whole.read(whole.size() / 2));
        } else if (kind == QLatin1String("onnx") || kind == QLatin1String("data")) {
            path = bad.filePath(
                kind == QLatin1String("onnx") ? QStringLiteral("x.onnx") : QStringLiteral("x.npy"));
            writeText(path, "this is not what its name says");
        } else if (kind == QLatin1String("missing")) {
            path = bad.filePath(QStringLiteral("nowhere"));
        } else if (kind == QLatin1String("recipe")) {
            path = bad.filePath(QStringLiteral("x.json"));
            writeText(path, "{\"format\": \"quantoscope-recipe\", \"format_version\": 99}");
        }
        if (kind == QLatin1String("data")) {
            document.tasks.openCalibrationData(path);
        } else if (kind == QLatin1String("recipe")) {
            document.tasks.openRecipe(path);
        } else {
            document.tasks.openModel(path);
        }
        QTRY_COMPARE_WITH_TIMEOUT(document.failures.size(), 1, 10000);
        const QString sentence = document.failures.front().at(1).toString();
        QVERIFY2(sentence.size() > 20 && !sentence.contains(QLatin1Char('\n')), qPrintable(sentence));
        QCOMPARE(session.model(), model);
        QCOMPARE(session.calibration(), calibration);
        QVERIFY(session.plan() == plan);
        QVERIFY(session.undoStack()->canUndo());
    }
    void aRecipeBringsThePlanBack()
    {
        Document document;
        open(document);
        Session& session = document.session;
        PresetOptions options;
        options.weightBits = 4;
        options.softmaxKind = QuantizerKind::LogSqrt2;
        session.replacePlan(makePreset(session.model()->sites, options), QStringLiteral("preset"));
        const Plan plan = session.plan();
        document.tasks.saveRecipe(at("recipe.json"));
        QTRY_VERIFY(document.runner.isIdle());
        QVERIFY(!session.isModified());
        session.replacePlan(Plan(), QStringLiteral("nothing"));
        document.tasks.openRecipe(at("recipe.json"));
        QTRY_VERIFY(session.plan() == plan);
        QCOMPARE(document.failures.size(), 0);
    }
    void anExportIsVerified()
    {
        Document document;
        open(document);
        std::optional<Verification> verification;
        connect(&document.tasks, &SessionTasks::exported, this,
            [&](const QString&, const std::optional<Verification>& result) { verification = result; });
        document.tasks.exportPlan({QStringLiteral("hdf5"), at("model.h5"), 12});
        QTRY_VERIFY_WITH_TIMEOUT(document.runner.isIdle(), 30000);
        QCOMPARE(document.failures.size(), 0);
        QVERIFY(verification.has_value());
        QCOMPARE(verification->samples, std::int64_t {12});
        QVERIFY2(verification->sqnrDb > 60.0, qPrintable(QString::number(verification->sqnrDb)));
    }
    void cancellingIsNoFailure()
    {
        Document document;
        open(document);
        document.tasks.measureSensitivity();
        document.runner.cancelAll();
        QTRY_VERIFY(document.runner.isIdle());
        QCOMPARE(document.failures.size(), 0);
    }
    void liveErrorFollowsAnEditAtThreeSpeeds()
    {
        Document document;
        open(document);
        Session& session = document.session;
        LiveError live(&document.runner);
        live.setDocument(session.model(), session.calibration(), session.calibrationData());
        const int site = indexOfSite(session.model()->sites, "blocks.1.mlp.fc2.input");
        live.request(site, session.plan());
        QCOMPARE(live.state().tensorState, ResultState::Live); // at once, before any job
        QCOMPARE(live.state().modelState, ResultState::Computing);
        QTRY_COMPARE(live.state().modelState, ResultState::Live);
        QCOMPARE(live.state().layerState, ResultState::Live);
        QCOMPARE(live.state().layer->layer, std::string("blocks.1.mlp.fc2"));
        const double before = live.state().model->sqnrDb.value;

        for (int i = 1; i <= 30; ++i) { // a drag: every move supersedes the one before
            SiteChoice choice = session.choice("blocks.1.mlp.fc2.input");
            choice.method = BoundMethod::Manual;
            choice.manualBounds = {{-0.2, 1.0 / i}};
            session.edit({{"blocks.1.mlp.fc2.input", choice}}, QStringLiteral("drag"), 1);
            live.request(site, session.plan());
            QCOMPARE(live.state().tensorState, ResultState::Live);
            QVERIFY(live.state().modelState == ResultState::Stale);
            QTest::qWait(1);
        }
        QTRY_COMPARE(live.state().modelState, ResultState::Live);
        QVERIFY(live.state().model->sqnrDb.value < before);
        QVERIFY(live.state().failure.empty());
    }
    void theModelErrorGetsSurerWhileTheHandRests()
    {
        Document document;
        open(document);
        const Session& session = document.session;
        LiveError live(&document.runner);
        live.setDocument(session.model(), session.calibration(), session.calibrationData());
        live.request(indexOfSite(session.model()->sites, "blocks.1.mlp.fc2.input"), session.plan());
        QTRY_COMPARE(live.state().modelState, ResultState::Live);
        QCOMPARE(live.state().model->samples, LiveError::kProbeSamples);
        const std::int64_t all = session.calibrationData()->size();
        QCOMPARE(live.state().probeGoal, all);
        QTRY_COMPARE(live.state().model->samples, all);
        QCOMPARE(live.state().modelState, ResultState::Live);
        const ErrorEstimate& estimate = *live.state().model;
        QVERIFY(
            estimate.sqnrDb.lower < estimate.sqnrDb.value && estimate.sqnrDb.value < estimate.sqnrDb.upper);

        // The same figures as an evaluation of the plan on these samples.
        const std::shared_ptr<const Calibration> calibration = session.calibration();
        Executor executor(session.model());
        const SpreadSource probe(session.calibrationData());
        const Fp32Reference reference = computeReference(executor, probe, estimate.samples);
        const Metrics whole = evaluatePlan(
            session.model(), resolvePlan(*session.model(), session.plan(), *calibration), probe, reference)
                                  .metrics;
        QVERIFY(std::abs(whole.klNats - estimate.klNats.value) < 1e-9);
        QVERIFY(std::abs(whole.logitsSqnrDb - estimate.sqnrDb.value) < 1e-6);
        QCOMPARE(whole.agreementPercent, estimate.agreementPercent.value);
    }
};

QTEST_GUILESS_MAIN(TestSessionTasks)
#include "tst_session_tasks.moc"
