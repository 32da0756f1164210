#include "app/jobs/autosave.h"
#include "app/session/session.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <cstdio>

using namespace qs;
using namespace Qt::StringLiterals;

namespace {

/// The edit that the killed program made.
Plan editedPlan(const Model& model)
{
    return makePreset(model.sites, {.weightBits = 3, .activationBits = 5});
}

/// A program that edits, keeps a copy, says so, and waits to be killed.
int runVictim(const QString& folder)
{
    Session session;
    session.openModel(loadModel(QS_TEST_DATA "/tiny_vit_timm"));
    Autosave autosave(&session, folder, 10);
    QObject::connect(&autosave, &Autosave::written, [] {
        std::puts("written");
        std::fflush(stdout);
    });
    session.replacePlan(editedPlan(*session.model()), u"edit"_s);
    return QCoreApplication::exec();
}

} // namespace

class TestAutosave : public QObject
{
    Q_OBJECT
private slots:
    void aKilledProgramLeavesItsSession()
    {
        QTemporaryDir folder;
        QProcess victim;
        victim.start(QCoreApplication::applicationFilePath(), {u"--victim"_s, folder.path()});
        QVERIFY(victim.waitForStarted());
        QByteArray said;
        while (!said.contains("written")) {
            QVERIFY(victim.waitForReadyRead(60000));
            said += victim.readAllStandardOutput();
        }
        QVERIFY(Autosave::leftovers(folder.path()).isEmpty()); // it lives: the file is not up for recovery
        ::kill(static_cast<pid_t>(victim.processId()), SIGKILL);
        QVERIFY(victim.waitForFinished());

        const QStringList left = Autosave::leftovers(folder.path());
        QCOMPARE(left.size(), 1);
        const SessionFile file = loadSession(left.front().toStdString());
        const auto model = loadModel(file.modelPath);
        QCOMPARE(model->hash, file.modelHash);
        Session session;
        session.restore(file, model, nullptr, nullptr);
        QCOMPARE(session.plan(), editedPlan(*model));
        QVERIFY(!session.isReadOnly());
        Autosave::discard(left.front());
        QVERIFY(Autosave::leftovers(folder.path()).isEmpty());
    }
    void aProgramThatEndsWellLeavesNothing()
    {
        QTemporaryDir folder;
        Session session;
        session.openModel(loadModel(QS_TEST_DATA "/tiny_vit_timm"));
        {
            Autosave autosave(&session, folder.path(), 1);
            session.replacePlan(editedPlan(*session.model()), u"edit"_s);
            QTRY_VERIFY(QFile::exists(autosave.file()));
            session.undoStack()->setClean(); // as saving does
        }
        QVERIFY(QDir(folder.path()).entryList({u"*.qscope"_s}).isEmpty());
    }
    void aFolderThatWasClearedAwayIsMadeAgain()
    {
        QTemporaryDir top;
        const QString folder = top.filePath(u"sessions"_s);
        Session session;
        session.openModel(loadModel(QS_TEST_DATA "/tiny_vit_timm"));
        Autosave autosave(&session, folder, 1);
        QSignalSpy written(&autosave, &Autosave::written);
        QSignalSpy failed(&autosave, &Autosave::failed);
        session.replacePlan(editedPlan(*session.model()), u"edit"_s);
        QTRY_COMPARE(written.size(), 1);
        QVERIFY(QDir(folder).removeRecursively());
        session.undoStack()->undo();
        QTRY_COMPARE(written.size(), 2);
        QCOMPARE(failed.size(), 0);
        QVERIFY(QFile::exists(autosave.file()));
        QVERIFY(Autosave::leftovers(folder).isEmpty()); // it is in use
    }
    void whatWasClosedUnsavedIsKept()
    {
        QTemporaryDir folder;
        {
            Session session;
            session.openModel(loadModel(QS_TEST_DATA "/tiny_vit_timm"));
            const Autosave autosave(&session, folder.path(), 60000);
            session.replacePlan(editedPlan(*session.model()), u"edit"_s);
        }
        QCOMPARE(Autosave::leftovers(folder.path()).size(), 1);
    }
    void withoutItsModelASessionIsReadOnly()
    {
        QTemporaryDir folder;
        Session session;
        session.openModel(loadModel(QS_TEST_DATA "/tiny_vit_timm"));
        const SessionFile file = session.toFile(u"x"_s);
        Session copy;
        copy.restore(file, placeholderModel(file), nullptr, nullptr);
        QVERIFY(copy.isReadOnly());
        const Plan before = copy.plan();
        QCOMPARE(before, session.plan());
        copy.replacePlan({}, u"edit"_s);
        QCOMPARE(copy.plan(), before);
        QCOMPARE(copy.undoStack()->count(), 0);
    }
};

int main(int argc, char** argv)
{
    QCoreApplication application(argc, argv);
    const QStringList arguments = QCoreApplication::arguments();
    if (arguments.size() == 3 && arguments.at(1) == u"--victim"_s) {
        return runVictim(arguments.at(2));
    }
    TestAutosave test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_autosave.moc"
