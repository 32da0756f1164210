#include "app/jobs/live_error.h"
#include "app/jobs/method_task.h"
#include "app/jobs/session_tasks.h"
#include "core/eval/evaluate.h"
#include "core/io/npy_file.h"

#include <QDir>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

using namespace qs;

namespace {

const QString kModel = QStringLiteral(QS_TEST_DATA "/tiny_vit_timm");
constexpr std::int64_t kSamples = 12;

void writeSamples(const QString& file)
{
    Tensor samples(DType::F32, Shape {kSamples, 3, 16, 16});
    std::uint32_t state = 9;
    for (float& value : samples.mutableData<float>()) {
        state = state * 1664525U + 1013904223U;
        value = static_cast<float>(state >> 8U) / 8388608.0F - 1.0F;
    }
    writeNpy(file.toStdString(), samples);
}

MethodRequest request(const char* method, int bits = 4)
{
    MethodRequest request;
    request.method = QLatin1String(method);
    request.options.weightBits = bits;
    request.options.activationBits = bits;
    request.options.iterations = 12;
    request.options.endToEndIterations = 4;
    request.samples = kSamples;
    return request;
}

/// What `quantize` and `evaluate` of the command line make of the same request.
Evaluation evaluatedByCore(
    const std::shared_ptr<const Model>& model, const DataSource& data, const Recipe& recipe)
{
    Executor executor(model);
    const Fp32Reference reference = computeReference(executor, data, 0);
    const auto rewritten = modelOf(recipe, model);
    return evaluatePlan(rewritten, quantizersOf(recipe, *rewritten), data, reference, {}, model);
}

Recipe quantizedByCore(
    const std::shared_ptr<const Model>& model, const DataSource& data, const MethodRequest& r)
{
    const MethodInput input = methodInput(model, data, r.samples);
    return recipeOf(input, r.options, runMethod(methodNamed(r.method.toStdString()), input, r.options));
}

void requireSame(const Evaluation& actual, const Evaluation& expected)
{
    QCOMPARE(actual.metrics.logitsSqnrDb, expected.metrics.logitsSqnrDb); // exactly
    QCOMPARE(actual.metrics.klNats, expected.metrics.klNats);
    QCOMPARE(actual.metrics.agreementPercent, expected.metrics.agreementPercent);
    QCOMPARE(actual.layerSqnrDb, expected.layerSqnrDb);
    QCOMPARE(actual.outcomes, expected.outcomes);
}

} // namespace

/// Methods that rewrite weights, in the document: one step, the original's FP32 as reference, files and
/// exports.
class TestMethodTask : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    QString m_samples;

    [[nodiscard]] QString at(const char* name) const { return m_folder.filePath(QLatin1String(name)); }

    struct Document
    {
        explicit Document(const QString& stateFolder = {})
            : task(&session, &runner, stateFolder)
        {
        }
        Session session;
        JobRunner runner;
        SessionTasks tasks {&session, &runner};
        MethodTask task;
        QSignalSpy failures {&tasks, &SessionTasks::failed};
        QSignalSpy methodFailures {&task, &MethodTask::failed};

        void wait() { QTRY_VERIFY_WITH_TIMEOUT(runner.isIdle(), 120000); }
    };

    void open(Document& document)
    {
        document.tasks.openModel(kModel, m_samples, m_samples);
        QTRY_VERIFY_WITH_TIMEOUT(document.session.calibration() != nullptr, 30000);
        document.wait();
        QCOMPARE(document.failures.size(), 0);
    }

private slots:
    void initTestCase()
    {
        QVERIFY(m_folder.isValid());
        m_samples = at("samples.npy");
        writeSamples(m_samples);
    }
    void theResultIsOneStepAndMeasuredAsTheCommandLineDoes_data()
    {
        QTest::addColumn<QString>("method");
        for (const Method& method : methods()) {
            QTest::newRow(method.name.data()) << QString::fromUtf8(method.name.data());
        }
    }
    void theResultIsOneStepAndMeasuredAsTheCommandLineDoes()
    {
        QFETCH(QString, method);
        Document document;
        open(document);
        Session& session = document.session;
        const auto opened = session.model();
        const auto calibration = session.calibration();
        const Plan plan = session.plan();
        const MethodRequest wanted = request(method.toLatin1().constData());
        document.task.run(wanted);
        QVERIFY(document.task.isRunning());
        document.wait();
        QCOMPARE(document.methodFailures.size(), 0);
        QVERIFY(session.form() != nullptr);
        QCOMPARE(session.form()->name, method.toStdString() + " W4A4");
        QCOMPARE(session.undoStack()->count(), 1);
        QVERIFY(session.calibration() != nullptr && session.calibration() != calibration);

        document.tasks.evaluate();
        document.tasks.computeSiteErrors();
        document.wait();
        QCOMPARE(document.failures.size(), 0);
        const Recipe recipe = quantizedByCore(opened, *session.calibrationData(), wanted);
        requireSame(*session.evaluation().value, evaluatedByCore(opened, *session.evaluationData(), recipe));
        Executor original(opened);
        const Fp32Reference fp32 = computeReference(original, *session.evaluationData(), 0);
        QCOMPARE(
            session.reference()->outputs.front().data<float>()[0], fp32.outputs.front().data<float>()[0]);
        QCOMPARE(session.siteErrors().value->size(), session.model()->sites.size());

        session.undoStack()->undo();
        QVERIFY(session.model() == opened && session.plan() == plan && session.calibration() == calibration);
    }
    void theLiveErrorIsAgainstTheOriginal()
    {
        Document document;
        open(document);
        Session& session = document.session;
        document.task.run(request("repquant-fast"));
        document.wait();
        LiveError live(&document.runner);
        live.setDocument(session.model(), session.calibration(), session.calibrationData(), session.form());
        const int site = indexOfSite(session.model()->sites, "blocks.1.mlp.fc2.input");
        live.request(site, session.plan());
        QTRY_COMPARE_WITH_TIMEOUT(live.state().modelState, ResultState::Live, 30000);
        QVERIFY(live.state().failure.empty());
        QVERIFY(*live.state().params == session.form()->quantizers.at("blocks.1.mlp.fc2.input"));
        // Refined to all samples it is the evaluation of the whole set against the original.
        QTRY_COMPARE_WITH_TIMEOUT(live.state().model->samples, kSamples, 30000);
        Executor original(session.openedModel());
        const Fp32Reference fp32 = computeReference(original, *session.calibrationData(), 0);
        const Evaluation expected = evaluatePlan(session.model(), session.form()->quantizers,
            *session.calibrationData(), fp32, {}, session.openedModel());
        QVERIFY(std::abs(live.state().model->sqnrDb.value - expected.metrics.logitsSqnrDb) < 1e-6);
        QVERIFY(std::abs(live.state().model->klNats.value - expected.metrics.klNats) < 1e-9);
    }
    void recipesThatRewriteComeBackAndAreSavedAsTheyWere()
    {
        Document document;
        open(document);
        Session& session = document.session;
        const Recipe recipe
            = quantizedByCore(session.openedModel(), *session.calibrationData(), request("repquant-fast"));
        writeRecipe(recipe, at("core.json").toStdString());
        const Evaluation expected = evaluatedByCore(session.openedModel(), *session.evaluationData(), recipe);
        document.tasks.openRecipe(at("core.json"));
        document.wait();
        QCOMPARE(document.failures.size(), 0);
        QVERIFY(session.form() != nullptr);
        QCOMPARE(session.form()->name, std::string("core"));
        document.tasks.evaluate();
        document.tasks.saveRecipe(at("window.json"));
        document.wait();
        requireSame(*session.evaluation().value, expected);
        const Recipe saved = readRecipe(at("window.json").toStdString());
        QVERIFY(saved.quantizers == recipe.quantizers);
        QVERIFY(saved.rewriting.reparameterizations == recipe.rewriting.reparameterizations);
        QCOMPARE(saved.rewriting.constants.size(), recipe.rewriting.constants.size());
        requireSame(evaluatedByCore(session.openedModel(), *session.evaluationData(), saved), expected);

        writeRecipe(
            makeRecipe(*session.openedModel(), *session.calibrationOf(nullptr), Plan {{{"head.input", {}}}}),
            at("plain.json").toStdString());
        document.tasks.openRecipe(at("plain.json")); // a plain recipe is for the original weights
        document.wait();
        QVERIFY(session.form() == nullptr && session.model() == session.openedModel());
        session.undoStack()->undo();
        QVERIFY(session.form() != nullptr);
    }
    void anEditOnTopIsMeasuredAndSaved()
    {
        Document document;
        open(document);
        Session& session = document.session;
        document.task.run(request("repquant-fast"));
        document.wait();
        const std::string site = "blocks.1.mlp.fc2.input";
        SiteChoice choice = session.choice(site);
        choice.manualBounds = {{-0.01, 0.02}};
        session.edit({{site, choice}}, QStringLiteral("edit"));
        document.tasks.evaluate();
        document.tasks.saveRecipe(at("edited.json"));
        document.wait();
        const Recipe saved = readRecipe(at("edited.json").toStdString());
        ResolvedPlan expected = session.form()->quantizers;
        expected[site] = resolveActivation(choice, *session.calibration()->find(site));
        QVERIFY(!(expected[site] == session.form()->quantizers.at(site)));
        QVERIFY(saved.quantizers == expected);
        requireSame(*session.evaluation().value,
            evaluatedByCore(session.openedModel(), *session.evaluationData(), saved));
    }
    void anExportOfTheRewrittenModelIsVerified()
    {
        Document document;
        open(document);
        document.task.run(request("repquant-fast", 8));
        document.wait();
        std::optional<Verification> verification;
        connect(&document.tasks, &SessionTasks::exported, this,
            [&](const QString&, const std::optional<Verification>& result) { verification = result; });
        document.tasks.exportPlan({QStringLiteral("hdf5"), at("model.h5"), kSamples});
        document.wait();
        QCOMPARE(document.failures.size(), 0);
        QVERIFY(verification.has_value());
        QVERIFY2(verification->sqnrDb > 60.0, qPrintable(QString::number(verification->sqnrDb)));
    }
    void aSavedSessionBringsModelPlanAndSnapshotsBack()
    {
        Document document;
        open(document);
        Session& session = document.session;
        session.addSnapshot(QStringLiteral("original"));
        document.task.run(request("repquant-fast"));
        document.wait();
        document.tasks.evaluate();
        document.wait();
        const auto evaluation = session.evaluation().value;
        document.tasks.saveSession(at("a.qscope"), QStringLiteral("head.input"));
        document.wait();
        QCOMPARE(document.failures.size(), 0);

        Document second;
        second.tasks.openSession(at("a.qscope"));
        second.wait();
        QCOMPARE(second.failures.size(), 0);
        Session& back = second.session;
        QVERIFY(back.form() != nullptr && back.model() == back.form()->model);
        QVERIFY(back.plan() == session.plan());
        QVERIFY(back.calibration() != nullptr && back.calibrationOf(nullptr) != nullptr);
        QCOMPARE(back.snapshots().size(), std::size_t {2});
        QVERIFY(back.snapshots()[0].form == nullptr && back.snapshots()[1].form == back.form());
        second.tasks.evaluate();
        second.wait();
        requireSame(*back.evaluation().value, *evaluation);
        QCOMPARE(back.snapshots().size(), std::size_t {2}); // the figures went to the snapshot
        back.replace(back.snapshots()[0].plan, back.snapshots()[0].form, QStringLiteral("restore"));
        QVERIFY(back.model() == back.openedModel());

        QDir(m_folder.path()).rename(QStringLiteral("a.qscope"), QStringLiteral("b.qscope"));
        Document readOnly;
        readOnly.tasks.openSession(at("b.qscope"), at("nowhere"));
        readOnly.wait();
        QVERIFY(readOnly.session.isReadOnly());
        QVERIFY(readOnly.session.form() != nullptr && readOnly.session.calibration() != nullptr);
        readOnly.tasks.saveSession(at("c.qscope"), {});
        readOnly.wait();
        QCOMPARE(readOnly.failures.size(), 0);
        QCOMPARE(loadSession(at("c.qscope").toStdString()).forms.front().form->rewriting.constants.size(),
            session.form()->rewriting.constants.size());
    }
    void otherCalibrationDataIsCalibratedInEveryForm()
    {
        Document document;
        open(document);
        Session& session = document.session;
        document.task.run(request("repq-vit"));
        document.wait();
        document.tasks.openCalibrationData(m_samples);
        document.wait();
        QVERIFY(session.calibration() != nullptr);
        QVERIFY(session.calibrationOf(nullptr) == nullptr);
        session.undoStack()->undo();
        document.wait();
        QVERIFY(session.calibration() != nullptr && session.calibration() == session.calibrationOf(nullptr));
    }
    void cancelledTrainingLeavesTheDocumentAndGoesOnLater()
    {
        Document document(at("training"));
        open(document);
        Session& session = document.session;
        const auto opened = session.model();
        MethodRequest wanted = request("repquant");
        wanted.options.iterations = 300;
        wanted.options.endToEndIterations = 0;
        std::vector<LossPoint> points;
        connect(&document.task, &MethodTask::lossMeasured, this, [&](const std::vector<LossPoint>& more) {
            points.insert(points.end(), more.begin(), more.end());
            if (points.back().blockIndex == 1) {
                document.task.cancel();
            }
        });
        QSignalSpy cancelled(&document.task, &MethodTask::cancelled);
        document.task.run(wanted);
        document.wait();
        QCOMPARE(cancelled.size(), 1);
        QCOMPARE(document.methodFailures.size(), 0);
        QVERIFY(session.model() == opened && session.undoStack()->count() == 0);
        QCOMPARE(points.front().blockIndex, 0);
        QCOMPARE(QDir(at("training")).entryList(QDir::Files).size(), 1);

        points.clear();
        document.task.disconnect(this);
        connect(&document.task, &MethodTask::lossMeasured, this, [&](const std::vector<LossPoint>& more) {
            points.insert(points.end(), more.begin(), more.end());
        });
        document.task.run(wanted);
        document.wait();
        QVERIFY(session.form() != nullptr);
        QCOMPARE(points.front().blockIndex, 1); // the first block was kept
        QCOMPARE(points.size(), std::size_t {300});
        QVERIFY(QDir(at("training")).entryList(QDir::Files).isEmpty());
        const Recipe whole = quantizedByCore(opened, *session.calibrationData(), wanted);
        QVERIFY(session.form()->quantizers == quantizersOf(whole, *modelOf(whole, opened)));
    }
    void aMethodWithoutDataSaysSo()
    {
        Document document;
        document.task.run(request("repq-vit"));
        QCOMPARE(document.methodFailures.size(), 1);
        QVERIFY(document.runner.isIdle());
    }
};

QTEST_GUILESS_MAIN(TestMethodTask)
#include "tst_method_task.moc"
