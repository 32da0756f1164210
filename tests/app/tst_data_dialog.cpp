#include "app/ui/data_dialog.h"
#include "app/ui/main_window.h"
#include "core/eval/session_file.h"
#include "tests/app/fresh_window.h"
#include "widgets/views/compare_view.h"

#include <QAction>
#include <QApplication>
#include <QFile>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>

using namespace qs;
using namespace qs::test;
using namespace Qt::StringLiterals;

namespace {

constexpr int kPatienceMs = 120000;
const QString kModel = QStringLiteral(QS_TEST_DATA "/hf_gpt2_trained");
const QString kTokens = kModel + u"/feed.input_ids.npy"_s;

QPushButton* buttonOf(const QDialog& dialog, const QString& text)
{
    for (QPushButton* button : dialog.findChildren<QPushButton*>()) {
        if (button->text() == text) {
            return button;
        }
    }
    return nullptr;
}

} // namespace

/// Data of every kind is opened from the menu, token ids with a context length that the session remembers.
class TestDataDialog : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        m_window = freshWindow(u"DataDialog"_s);
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
        m_window->open(kModel);
        QTRY_VERIFY_WITH_TIMEOUT(session().model() != nullptr, kPatienceMs);
    }
    void cleanupTestCase() { m_window.reset(); }

    void onlyWhatExistsCanBeOpened()
    {
        DataDialog dialog(u"Data"_s, *session().model(), {}, {});
        auto* path = dialog.findChild<QLineEdit*>();
        QVERIFY(!buttonOf(dialog, u"&Open"_s)->isEnabled());
        path->setText(u"/nowhere/at/all"_s);
        QVERIFY(!buttonOf(dialog, u"&Open"_s)->isEnabled());
        path->setText(kTokens);
        QVERIFY(buttonOf(dialog, u"&Open"_s)->isEnabled());
        QCOMPARE(dialog.options().context, std::int64_t {0});
    }
    void aModelOfPicturesLeavesNoLengthOpen()
    {
        const auto pictures = loadModel(QS_TEST_DATA "/tiny_vit_timm");
        const DataDialog dialog(u"Data"_s, *pictures, {}, {.context = 7});
        QVERIFY(dialog.findChild<QSpinBox*>() == nullptr);
        QCOMPARE(dialog.options().context, std::int64_t {0});
    }
    void theSessionRemembersTheContext()
    {
        // The file has 64 tokens a sample.
        openData(u"Open &Calibration Data…"_s, 6);
        QTRY_VERIFY_WITH_TIMEOUT(session().calibration() != nullptr, kPatienceMs);
        QCOMPARE(session().calibrationData()->load(0).shape(), (Shape {6}));
        openData(u"Open &Evaluation Data…"_s, 9);
        QTRY_VERIFY_WITH_TIMEOUT(session().evaluationData() != nullptr, kPatienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);

        QTemporaryDir folder;
        const QString file = folder.filePath(u"tokens.qscope"_s);
        saveSession(session().toFile({}), file.toStdString());
        MainWindow other;
        other.openPath(file);
        QTRY_VERIFY_WITH_TIMEOUT(other.session()->model() != nullptr, kPatienceMs);
        QVERIFY(other.session()->calibrationData() != nullptr); // the same by its hash
        QCOMPARE(other.session()->calibrationData()->load(0).shape(), (Shape {6}));
        QCOMPARE(other.session()->evaluationData()->load(0).shape(), (Shape {9}));
        QCOMPARE(other.session()->calibrationOptions().context, std::int64_t {6});
    }
    void flippedTextsAreShownAsText()
    {
        // The trained model with a tokenizer beside it whose word for the id i is "wi".
        QTemporaryDir folder;
        for (const QString& name : {u"config.json"_s, u"model.safetensors"_s}) {
            QVERIFY(QFile::copy(kModel + u'/' + name, folder.filePath(name)));
        }
        QFile words(folder.filePath(u"vocab.txt"_s));
        QVERIFY(words.open(QIODevice::WriteOnly));
        for (int id = 0; id < 1000; ++id) {
            words.write("w" + QByteArray::number(id) + "\n");
        }
        words.close();
        MainWindow window;
        window.resize(1200, 800);
        window.show();
        window.open(folder.path(), kTokens, kTokens);
        QTRY_VERIFY_WITH_TIMEOUT(window.session()->calibration() != nullptr, kPatienceMs);
        PresetOptions two;
        two.weightBits = 2;
        two.activationBits = 2;
        window.session()->replacePlan(makePreset(window.session()->model()->sites, two), u"two bits"_s);
        QTRY_VERIFY_WITH_TIMEOUT(window.jobs()->isIdle(), kPatienceMs);
        for (QAction* action : window.findChildren<QAction*>()) {
            if (action->text() == u"&Evaluate"_s) {
                action->trigger();
            }
        }
        QTRY_VERIFY_WITH_TIMEOUT(!window.session()->snapshots().empty(), kPatienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(window.jobs()->isIdle(), kPatienceMs);
        auto* compare = window.findChild<CompareView*>();
        compare->metrics()->table()->setCurrentCell(
            1, 0, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
        QTRY_VERIFY_WITH_TIMEOUT(
            !compare->flips()->rows().empty() && !compare->flips()->rows().front().text.isEmpty(),
            kPatienceMs);
        const FlipRow& row = compare->flips()->rows().front();
        const auto& outcomes = window.session()->snapshots().front().evaluation->outcomes;
        const auto outcome = std::ranges::find(outcomes, row.flip.sample, &SampleOutcome::sample);
        const Tensor sample = window.session()->evaluationData()->load(row.flip.sample);
        const auto id = sample.data<std::int64_t>()[static_cast<std::size_t>(outcome->row)];
        QVERIFY2(row.text.endsWith(u"w%1"_s.arg(id)), qPrintable(row.text)); // what the prediction follows
        QCOMPARE(row.before, u"\u201Cw%1\u201D"_s.arg(row.flip.before));
        QCOMPARE(row.after, u"\u201Cw%1\u201D"_s.arg(row.flip.after));
    }

private:
    [[nodiscard]] Session& session() const { return *m_window->session(); }
    void openData(const QString& action, int context)
    {
        for (QAction* each : m_window->findChildren<QAction*>()) {
            if (each->text() == action && each->isEnabled()) {
                each->trigger();
            }
        }
        auto* dialog = qobject_cast<DataDialog*>(QApplication::activeModalWidget());
        QVERIFY(dialog != nullptr);
        dialog->findChild<QLineEdit*>(QString(), Qt::FindDirectChildrenOnly)->setText(kTokens);
        dialog->findChild<QSpinBox*>()->setValue(context);
        QTest::keyClick(dialog, Qt::Key_Return);
    }

    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestDataDialog)
#include "tst_data_dialog.moc"
