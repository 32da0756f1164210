#include "app/ui/data_dialog.h"
#include "app/ui/main_window.h"
#include "core/eval/session_file.h"
#include "tests/app/fresh_window.h"

#include <QAction>
#include <QApplication>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
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
