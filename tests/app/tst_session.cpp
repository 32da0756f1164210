#include "app/session/session.h"

#include <QRandomGenerator>
#include <QSignalSpy>
#include <QTest>

using namespace qs;

namespace {

SiteChoice manual(double lower, double upper, int bits = 4)
{
    SiteChoice choice;
    choice.enabled = true;
    choice.bits = bits;
    choice.method = BoundMethod::Manual;
    choice.manualBounds = {{lower, upper}};
    return choice;
}

const std::string kSite = "blocks.0.attn.qkv.input";
const std::string kOther = "blocks.1.mlp.fc2.input";

} // namespace

class TestSession : public QObject
{
    Q_OBJECT
private slots:
    void anEditIsOneStepThatNamesItsObject()
    {
        Session session;
        QSignalSpy changed(&session, &Session::choicesChanged);
        session.edit({{kSite, manual(-1, 1)}}, QStringLiteral("bounds of qkv.input"));
        QCOMPARE(session.undoStack()->count(), 1);
        QCOMPARE(session.undoStack()->undoText(), QStringLiteral("bounds of qkv.input"));
        QCOMPARE(changed.last().at(0).toStringList(), QStringList {QString::fromStdString(kSite)});
        QVERIFY(session.isModified());
        session.undoStack()->undo();
        QVERIFY(session.plan() == Plan());
        QVERIFY(!session.isModified());
    }
    void anEditThatChangesNothingLeavesNoStep()
    {
        Session session;
        session.edit({{kSite, manual(-1, 1)}}, QStringLiteral("a"));
        session.edit({{kSite, manual(-1, 1)}}, QStringLiteral("b"));
        QCOMPARE(session.undoStack()->count(), 1);
    }
    void aDragIsOneStepAndTwoDragsAreTwo()
    {
        Session session;
        session.edit({{kSite, manual(-1, 1)}}, QStringLiteral("start"));
        for (int drag = 0; drag < 2; ++drag) {
            const int gesture = session.newGesture();
            for (int i = 1; i <= 50; ++i) {
                session.edit({{kSite, manual(-1, 1 + drag + 0.01 * i)}}, QStringLiteral("drag"), gesture);
            }
        }
        QCOMPARE(session.undoStack()->count(), 3);
        session.undoStack()->undo();
        QCOMPARE(session.choice(kSite).manualBounds.front().upper, 1.5);
        session.undoStack()->undo();
        QCOMPARE(session.choice(kSite).manualBounds.front().upper, 1.0);
    }
    void draggingBackLeavesNoStep()
    {
        Session session;
        session.edit({{kSite, manual(-1, 1)}}, QStringLiteral("start"));
        const int gesture = session.newGesture();
        session.edit({{kSite, manual(-1, 2)}}, QStringLiteral("drag"), gesture);
        session.edit({{kSite, manual(-1, 1)}}, QStringLiteral("drag"), gesture);
        QCOMPARE(session.undoStack()->count(), 1);
        QVERIFY(!session.undoStack()->canRedo());
    }
    void abortingAGestureTakesItBackWithoutATrace()
    {
        Session session;
        session.edit({{kSite, manual(-1, 1)}}, QStringLiteral("start"));
        const Plan before = session.plan();
        const int gesture = session.newGesture();
        session.edit({{kSite, manual(-1, 3)}}, QStringLiteral("drag"), gesture);
        session.edit({{kSite, manual(-1, 4)}, {kOther, manual(0, 1)}}, QStringLiteral("drag"), gesture);
        session.abortGesture(gesture);
        QVERIFY(session.plan() == before);
        QCOMPARE(session.undoStack()->count(), 1);
        session.abortGesture(gesture); // nothing of it is left to take back
        QCOMPARE(session.undoStack()->count(), 1);
    }
    void aMultiSelectionIsOneStep()
    {
        Session session;
        session.edit({{kSite, manual(-1, 1)}, {kOther, manual(-2, 2)}}, QStringLiteral("two"));
        QCOMPARE(session.undoStack()->count(), 1);
        QCOMPARE(session.plan().choices.size(), std::size_t {2});
        session.undoStack()->undo();
        QVERIFY(session.plan().choices.empty());
    }
    void replacingThePlanIsOneStepBothWays()
    {
        Session session;
        session.edit({{kSite, manual(-1, 1)}}, QStringLiteral("a"));
        Plan plan;
        plan.choices[kOther] = manual(0, 5);
        session.replacePlan(plan, QStringLiteral("preset"));
        QVERIFY(session.plan() == plan);
        session.undoStack()->undo();
        QVERIFY(session.plan().find(kSite) != nullptr);
        QVERIFY(session.plan().find(kOther) == nullptr);
    }
    void resultsAreStampedAndNotUndoable()
    {
        Session session;
        session.publishEvaluation(std::make_shared<Evaluation>(), session.plan(), session.revision());
        QCOMPARE(session.undoStack()->count(), 0);
        QCOMPARE(session.evaluation().revision, session.revision());
        session.edit({{kSite, manual(-1, 1)}}, QStringLiteral("a"));
        QVERIFY(session.evaluation().revision != session.revision()); // stale now
    }
    void twoHundredMixedEditsUndoToTheBeginningAndRedoToTheEnd()
    {
        Session session;
        QRandomGenerator random(7);
        std::vector<Plan> history {session.plan()};
        while (history.size() <= 200) {
            ChoiceMap choices;
            const int count = 1 + random.bounded(3);
            for (int i = 0; i < count; ++i) {
                choices["site." + std::to_string(random.bounded(6))]
                    = manual(-random.bounded(9) - 1, random.bounded(9) + 1, 2 + random.bounded(7));
            }
            const int steps = session.undoStack()->count();
            session.edit(choices, QStringLiteral("edit"), random.bounded(2) != 0 ? session.newGesture() : 0);
            if (session.undoStack()->count() > steps) {
                history.push_back(session.plan());
            }
        }
        for (std::size_t i = history.size() - 1; i-- > 0;) {
            session.undoStack()->undo();
            QVERIFY(session.plan() == history[i]);
        }
        for (std::size_t i = 1; i < history.size(); ++i) {
            session.undoStack()->redo();
            QVERIFY(session.plan() == history[i]);
        }
    }
    void aRewrittenModelIsOneStepAndUndoBringsTheWeightsBack()
    {
        const auto opened = loadModel(QS_TEST_DATA "/tiny_vit_timm");
        Session session;
        session.openModel(opened);
        const auto statistics = std::make_shared<Calibration>();
        session.publishCalibration(statistics);
        session.edit({{kSite, manual(-1, 1)}}, QStringLiteral("edit"));
        const Plan before = session.plan();

        auto form = std::make_shared<ModelForm>();
        form->opened = opened;
        form->model = std::make_shared<Model>(*opened);
        form->plan = Plan {{{kOther, manual(-2, 2)}}};
        const auto formStatistics = std::make_shared<Calibration>();
        session.publishCalibration(formStatistics, form);
        QCOMPARE(session.calibration().get(), statistics.get()); // nothing has changed yet
        QSignalSpy changed(&session, &Session::formChanged);
        session.replace(form->plan, form, QStringLiteral("repquant W4A4"));
        QCOMPARE(session.undoStack()->count(), 2);
        QCOMPARE(session.undoStack()->undoText(), QStringLiteral("repquant W4A4"));
        QCOMPARE(changed.size(), 1);
        QVERIFY(session.model() == form->model && session.openedModel() == opened);
        QCOMPARE(session.calibration().get(), formStatistics.get());
        QVERIFY(session.plan() == form->plan);

        session.edit({{kOther, manual(-3, 3)}}, QStringLiteral("edit"));
        session.addSnapshot(QStringLiteral("kept"));
        QVERIFY(session.snapshots().back().form == form);
        session.undoStack()->undo();
        QVERIFY(session.plan() == form->plan);
        session.undoStack()->undo();
        QVERIFY(session.plan() == before);
        QVERIFY(session.model() == opened && session.form() == nullptr);
        QCOMPARE(session.calibration().get(), statistics.get());
        session.undoStack()->redo();
        QVERIFY(session.form() == form && session.plan() == form->plan);
        QCOMPARE(session.calibration().get(), formStatistics.get());

        session.setCalibrationData(nullptr); // statistics of all forms are gone
        QVERIFY(session.calibration() == nullptr && session.calibrationOf(nullptr) == nullptr);
    }
    void figuresGoToTheSnapshotOfTheSamePlanAndForm()
    {
        const auto opened = loadModel(QS_TEST_DATA "/tiny_vit_timm");
        Session session;
        session.openModel(opened);
        session.addSnapshot(QStringLiteral("original"));
        auto form = std::make_shared<ModelForm>();
        form->opened = opened;
        form->model = opened;
        const Plan plan = session.plan(); // the same plan means something else on another form
        session.publishEvaluation(std::make_shared<Evaluation>(), plan, session.revision(), form);
        QCOMPARE(session.snapshots().size(), std::size_t {2});
        QVERIFY(session.snapshots()[0].evaluation == nullptr);
        QVERIFY(session.snapshots()[1].form == form);
        session.publishEvaluation(std::make_shared<Evaluation>(), plan, session.revision());
        QCOMPARE(session.snapshots().size(), std::size_t {2});
        QVERIFY(session.snapshots()[0].evaluation != nullptr);
    }
};

QTEST_GUILESS_MAIN(TestSession)
#include "tst_session.moc"
