#include "core/base/error.h"
#include "core/eval/calibrate.h"
#include "core/eval/session_file.h"
#include "core/io/hdf5_file.h"
#include "core/methods/method.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <cstring>
#include <limits>

using namespace qs;

/// What a session file keeps, and what it does with damaged ones.
class TestSessionFile : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        m_model = loadModel(QS_DEMO);
        const auto data = openData(QS_DEMO "/calib", *m_model);
        m_session.modelPath = m_model->path.string();
        m_session.modelName = m_model->name;
        m_session.modelHash = m_model->hash;
        m_session.configHash = m_model->configHash;
        m_session.sites = m_model->sites;
        m_session.calibrationPath = QS_DEMO "/calib";
        m_session.calibrationContext = 128;
        m_session.calibration = calibrate(m_model, *data, 4);
        m_session.plan = makePreset(m_model->sites, {.weightBits = 5, .activationBits = 3});
        SiteChoice& manual = m_session.plan.choices.begin()->second;
        manual.method = BoundMethod::Manual;
        manual.manualBounds = {{-0.1, 1.0 / 3.0}};
        m_session.plan.choices.rbegin()->second.method = BoundMethod::Kl;
        auto evaluation = std::make_shared<Evaluation>();
        evaluation->metrics.samples = 7;
        evaluation->metrics.top1Percent = 71.25;
        evaluation->metrics.klNats = 0.1;
        evaluation->metrics.logitsSqnrDb = std::numeric_limits<double>::infinity();
        evaluation->layerSqnrDb = {{"a", 12.5}, {"b", std::numeric_limits<double>::infinity()}};
        evaluation->outcomes = {{3, 1, 1, 0, 4, 5, 0.75F, 0.3F}};
        m_session.snapshots = {{"first \xE2\x88\x9A", m_session.plan, {5.0, 3.0, 12345}, evaluation},
            {"second", {}, {}, nullptr}};
        SiteSensitivity sensitivity;
        sensitivity.site = "x";
        sensitivity.bits = 4;
        sensitivity.klNats = 1e-9;
        m_session.sensitivity = {sensitivity};
        m_session.selectedSite = "x";
        m_file = m_folder.filePath(QStringLiteral("a.qscope"));
        saveSession(m_session, m_file.toStdString());
    }
    void everythingComesBack()
    {
        const SessionFile read = loadSession(m_file.toStdString());
        QCOMPARE(read.modelPath, m_session.modelPath);
        QCOMPARE(read.modelHash, m_session.modelHash);
        QCOMPARE(read.calibrationContext, std::int64_t {128});
        QCOMPARE(read.evaluationContext, std::int64_t {0});
        QCOMPARE(read.plan, m_session.plan);
        QCOMPARE(read.selectedSite, m_session.selectedSite);
        QCOMPARE(read.snapshots.size(), std::size_t {2});
        QCOMPARE(read.snapshots[0].name, m_session.snapshots[0].name);
        QCOMPARE(read.snapshots[0].figures, m_session.snapshots[0].figures);
        const Evaluation& evaluation = *read.snapshots[0].evaluation;
        QCOMPARE(evaluation.outcomes, m_session.snapshots[0].evaluation->outcomes);
        QCOMPARE(evaluation.layerSqnrDb, m_session.snapshots[0].evaluation->layerSqnrDb);
        QCOMPARE(*evaluation.metrics.top1Percent, 71.25);
        QVERIFY(!evaluation.metrics.top5Percent);
        QVERIFY(std::isinf(evaluation.metrics.logitsSqnrDb));
        QVERIFY(!read.snapshots[1].evaluation);
        QCOMPARE(read.sensitivity.front().klNats, 1e-9);
        QCOMPARE(read.sites.size(), m_session.sites.size());
        for (std::size_t i = 0; i < read.sites.size(); ++i) {
            QCOMPARE(read.sites[i].name, m_session.sites[i].name);
            QCOMPARE(read.sites[i].layer, m_session.sites[i].layer);
            QVERIFY(read.sites[i].role == m_session.sites[i].role);
            QCOMPARE(read.sites[i].groups, m_session.sites[i].groups);
        }
        QCOMPARE(read.calibration->sites.size(), m_session.calibration->sites.size());
        for (const auto& [site, statistics] : m_session.calibration->sites) {
            QVERIFY(*read.calibration->find(site) == *statistics);
        }
    }
    void rewrittenModelsComeBackBitForBit()
    {
        const auto data = openData(QS_DEMO "/calib", *m_model);
        const MethodInput input = methodInput(m_model, *data, 4);
        const MethodOptions options;
        SessionFile session = m_session;
        std::map<std::string, Recipe> recipes;
        for (const char* method : {"repq-vit", "repquant-fast"}) {
            recipes[method] = recipeOf(input, options, runMethod(methodNamed(method), input, options));
            session.forms.push_back({formOf(recipes[method], method, m_model), nullptr});
        }
        session.forms[1].calibration = calibrate(session.forms[1].form->model, *data, 4);
        session.form = session.forms[1].form;
        session.plan = session.form->plan;
        session.snapshots[1].form = session.forms[0].form;
        const std::string file = m_folder.filePath(QStringLiteral("forms.qscope")).toStdString();
        saveSession(session, file);
        QCOMPARE(Hdf5File::openForReading(file).readInteger("/", "version"), std::int64_t {2});

        SessionFile read = loadSession(file);
        restoreForms(read, m_model);
        QCOMPARE(read.forms.size(), std::size_t {2});
        QVERIFY(read.form == read.forms[1].form && read.form != nullptr);
        QVERIFY(read.snapshots[0].form == nullptr);
        QVERIFY(read.snapshots[1].form == read.forms[0].form);
        QVERIFY(!read.forms[0].calibration);
        QCOMPARE(read.forms[1].calibration->sites.size(), m_session.calibration->sites.size());
        for (std::size_t i = 0; i < 2; ++i) {
            const ModelForm& expected = *session.forms[i].form;
            const ModelForm& actual = *read.forms[i].form;
            QCOMPARE(actual.name, expected.name);
            QVERIFY(actual.plan == expected.plan);
            QVERIFY(actual.quantizers == expected.quantizers);
            QVERIFY(actual.rewriting.reparameterizations == expected.rewriting.reparameterizations);
            QCOMPARE(actual.model->sites.size(), m_model->sites.size());
            // The independent way to the same weights: the recipe applied to the model.
            const auto model = modelOf(recipes.at(expected.name), m_model);
            int changed = 0;
            for (const Value& value : model->graph->values()) {
                if (!value.isConstant()) {
                    continue;
                }
                const Tensor& mine
                    = actual.model->graph->value(*actual.model->graph->findValue(value.name)).constant;
                QCOMPARE(mine.byteCount(), value.constant.byteCount());
                QVERIFY2(std::memcmp(mine.bytes(), value.constant.bytes(), mine.byteCount()) == 0,
                    value.name.c_str());
                const auto before = m_model->graph->findValue(value.name);
                changed += before
                        && std::memcmp(mine.bytes(), m_model->graph->value(*before).constant.bytes(),
                               mine.byteCount())
                            != 0
                    ? 1
                    : 0;
            }
            QVERIFY(changed > 10);
        }
    }
    void aFormThatIsNotThereIsRefused()
    {
        const std::string path = m_folder.filePath(QStringLiteral("form.qscope")).toStdString();
        Hdf5File file = Hdf5File::create(path);
        file.writeString("/", "format", "quantoscope-session");
        file.writeInteger("/", "version", 2);
        QByteArray text = document("\"role\":\"other\"", "\"groups\":1");
        text.replace("\"plan\":{}", "\"plan\":{},\"form\":0");
        file.writeText("/document", text.toStdString());
        file.close();
        QVERIFY_EXCEPTION_THROWN((void)loadSession(path), Error);
    }
    void withoutTheModelThereAreSitesToLookAt()
    {
        const auto model = placeholderModel(loadSession(m_file.toStdString()));
        QVERIFY(model->graph->nodes().empty());
        QCOMPARE(model->sites.size(), m_model->sites.size());
        QCOMPARE(
            indexOfSite(model->sites, m_model->sites.back().name), static_cast<int>(model->sites.size()) - 1);
    }
    void otherFilesAreRefused()
    {
        const QString calibration = m_folder.filePath(QStringLiteral("c.h5"));
        saveCalibration(*m_session.calibration, calibration.toStdString());
        QVERIFY_EXCEPTION_THROWN((void)loadSession(calibration.toStdString()), Error);
        QVERIFY_EXCEPTION_THROWN(
            (void)loadSession(m_folder.filePath(QStringLiteral("none")).toStdString()), Error);
        const std::string newer = m_folder.filePath(QStringLiteral("newer.qscope")).toStdString();
        {
            Hdf5File file = Hdf5File::create(newer);
            file.writeString("/", "format", "quantoscope-session");
            file.writeInteger("/", "version", 3);
            file.close();
        }
        try {
            (void)loadSession(newer);
            QFAIL("a newer version was read");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Unsupported);
        }
    }
    void documentsThatContradictThemselvesAreRefused_data()
    {
        QTest::addColumn<QByteArray>("document");
        QTest::newRow("no JSON") << QByteArray("{");
        QTest::newRow("a list") << QByteArray("[]");
        QTest::newRow("no model") << QByteArray("{\"plan\":{}}");
        QTest::newRow("a role of its own") << document("\"role\":\"king\"", "\"groups\":1");
        QTest::newRow("negative groups") << document("\"role\":\"other\"", "\"groups\":-1");
        QTest::newRow("groups as text") << document("\"role\":\"other\"", "\"groups\":\"1\"");
    }
    void documentsThatContradictThemselvesAreRefused()
    {
        QFETCH(QByteArray, document);
        const std::string path = m_folder.filePath(QStringLiteral("bad.qscope")).toStdString();
        Hdf5File file = Hdf5File::create(path);
        file.writeString("/", "format", "quantoscope-session");
        file.writeInteger("/", "version", 1);
        file.writeText("/document", document.toStdString());
        file.close();
        QVERIFY_EXCEPTION_THROWN((void)loadSession(path), Error);
    }
    void truncatedFilesAreRefused()
    {
        QFile file(m_file);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray bytes = file.readAll();
        for (const int parts : {1, 3, 9, 27, 30}) {
            const QString path = m_folder.filePath(QStringLiteral("cut.qscope"));
            QFile cut(path);
            QVERIFY(cut.open(QIODevice::WriteOnly));
            cut.write(bytes.left(bytes.size() * parts / 31));
            cut.close();
            QVERIFY_EXCEPTION_THROWN((void)loadSession(path.toStdString()), Error);
        }
    }

private:
    static QByteArray document(const char* role, const char* groups)
    {
        return QByteArray(
                   "{\"model\":{\"path\":\"\",\"name\":\"\",\"hash\":\"\",\"config_hash\":\"\",\"task\":"
                   "\"features\"},\"calibration_data\":\"\",\"evaluation_data\":\"\",\"sites\":[{\"name\":"
                   "\"a\",\"layer\":\"a\",\"block\":\"\",\"kind\":\"weight\",")
            + role + ",\"axis\":\"channel\"," + groups
            + ",\"weight_axis\":0}],\"plan\":{},\"snapshots\":[],\"sensitivity\":[],\"selected_site\":\"\"}";
    }

    QTemporaryDir m_folder;
    QString m_file;
    std::shared_ptr<const Model> m_model;
    SessionFile m_session;
};

QTEST_GUILESS_MAIN(TestSessionFile)
#include "tst_session_file.moc"
