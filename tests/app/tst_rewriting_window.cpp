#include "app/ui/main_window.h"
#include "app/ui/method_dialog.h"
#include "core/io/npy_file.h"
#include "tests/app/fresh_window.h"
#include "widgets/plot/channel_map.h"
#include "widgets/plot/channel_range_plot.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/plot/loss_curve.h"
#include "widgets/views/distribution_view.h"
#include "widgets/views/reconstruction_view.h"
#include "widgets/views/reparameterization_view.h"

#include <qcustomplot.h>

#include <QAction>
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDockWidget>
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
const QString kSite = u"blocks.0.mlp.fc1.input"_s;

} // namespace

/// Screens of what rewrites weights, in the real window, with mouse and keyboard.
class TestRewritingWindow : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    std::unique_ptr<MainWindow> m_window;

    [[nodiscard]] Session& session() { return *m_window->session(); }
    [[nodiscard]] ReparameterizationView& whatIf() { return *m_window->findChild<ReparameterizationView*>(); }
    [[nodiscard]] ReconstructionView& reconstruction() { return *m_window->findChild<ReconstructionView*>(); }
    void wait()
    {
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
        QTest::qWait(0);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
    }
    void raise(const char* dock)
    {
        auto* widget = m_window->findChild<QDockWidget*>(QLatin1String(dock));
        widget->show();
        widget->raise();
        QTRY_VERIFY(widget->widget()->isVisible());
    }
    /// Chooses the method from the menu and fills its dialog.
    void runMethod(const QString& name, int iterations)
    {
        auto* action = m_window->findChild<QAction*>(name);
        QVERIFY(action != nullptr && action->isEnabled());
        action->trigger();
        QTRY_VERIFY(qobject_cast<MethodDialog*>(QApplication::activeModalWidget()) != nullptr);
        auto* dialog = qobject_cast<MethodDialog*>(QApplication::activeModalWidget());
        for (QSpinBox* box : dialog->findChildren<QSpinBox*>()) {
            if (box->accessibleName() == u"Iterations per block"_s) {
                box->setValue(iterations);
            } else if (box->accessibleName().startsWith(u"Iterations of all"_s)) {
                box->setValue(5);
            } else if (box->accessibleName() == u"Weight bits"_s) {
                box->setValue(3);
            }
        }
        for (QComboBox* box : dialog->findChildren<QComboBox*>()) {
            if (box->accessibleName() == u"Behind GELU"_s) { // left to itself, the method takes uniform ones
                box->setCurrentIndex(box->findData(static_cast<int>(QuantizerKind::LogSqrt2)));
            }
        }
        auto* buttons = dialog->findChild<QDialogButtonBox*>();
        for (QAbstractButton* button : buttons->buttons()) {
            if (buttons->buttonRole(button) == QDialogButtonBox::AcceptRole) {
                QTest::mouseClick(button, Qt::LeftButton);
                return;
            }
        }
    }

private slots:
    void initTestCase()
    {
        const QString file = m_folder.filePath(u"samples.npy"_s);
        Tensor samples(DType::F32, Shape {12, 3, 16, 16});
        std::uint32_t state = 9;
        for (float& value : samples.mutableData<float>()) {
            state = state * 1664525U + 1013904223U;
            value = static_cast<float>(state >> 8U) / 8388608.0F - 1.0F;
        }
        writeNpy(file.toStdString(), samples);
        m_window = freshWindow(u"RewritingWindow"_s);
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
        m_window->open(QStringLiteral(QS_TEST_DATA "/tiny_vit_timm"), file, file);
        QTRY_VERIFY_WITH_TIMEOUT(session().calibration() != nullptr, kPatienceMs);
    }
    void cleanupTestCase() { m_window.reset(); }
    void init()
    {
        wait();
        session().undoStack()->setIndex(0);
        m_window->selectSite(kSite);
        wait();
    }
    void theWhatIfMeasuresTheSelectedNorm()
    {
        raise("reparameterizationDock");
        QTRY_VERIFY_WITH_TIMEOUT(whatIf().table()->rowCount() > 0, kPatienceMs);
        QCOMPARE(whatIf().table()->rowCount(), 4); // activation, weight, output, floating point
        const QString difference = whatIf().table()->item(3, 2)->text();
        QVERIFY2(
            difference.contains(u"e−7"_s) || difference.contains(u"e−8"_s) || difference.contains(u"e−6"_s),
            qPrintable(difference));
        QVERIFY(whatIf().table()->item(0, 3)->text().startsWith(u"▲"_s));
        m_window->selectSite(u"blocks.0.mlp.fc2.input"_s); // no norm in front of it
        QVERIFY(!whatIf().table()->isVisible());
        m_window->selectSite(u"blocks.1.attn.qkv.weight"_s); // a weight behind a norm stands for it
        QVERIFY(whatIf().table()->isVisible());
    }
    void aSwitchIsOneStepAndTheOtherWayBackToo()
    {
        raise("reparameterizationDock");
        const auto opened = session().model();
        const Plan plan = session().plan();
        QCheckBox* box = whatIf().thisSwitch();
        QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(8, box->height() / 2));
        QTRY_VERIFY_WITH_TIMEOUT(session().form() != nullptr, kPatienceMs);
        wait();
        QCOMPARE(session().undoStack()->count(), 1);
        QCOMPARE(session().form()->rewriting.reparameterizations.front().site, kSite.toStdString());
        QVERIFY(box->isChecked());
        QCOMPARE(whatIf().allSwitch()->checkState(), Qt::PartiallyChecked);
        QVERIFY(session().calibration() != nullptr);

        QTest::mouseClick(whatIf().allSwitch(), Qt::LeftButton, {}, QPoint(8, box->height() / 2));
        const std::size_t norms = 5; // two blocks of two norms, and the classifier's
        QTRY_COMPARE_WITH_TIMEOUT(session().form()->rewriting.reparameterizations.size(), norms, kPatienceMs);
        wait();
        const SiteChoice folded = session().choice(kSite.toStdString());
        QCOMPARE(folded.manualBounds.size(), std::size_t {1});
        const QuantParams channels = session().form()->rewriting.reparameterizations[1].channels;

        QTest::mouseClick(box, Qt::LeftButton, {}, QPoint(8, box->height() / 2));
        QTRY_COMPARE_WITH_TIMEOUT(
            session().form()->rewriting.reparameterizations.size(), norms - 1, kPatienceMs);
        wait();
        const SiteChoice back = session().choice(kSite.toStdString());
        QCOMPARE(back.granularity, Granularity::Group);
        QVERIFY(back.manualBounds == channels.bounds);
        while (session().undoStack()->canUndo()) {
            QTest::keyClick(m_window.get(), Qt::Key_Z, Qt::ControlModifier);
        }
        QVERIFY(session().model() == opened && session().plan() == plan);
    }
    void trainingIsShownWhileItRunsAndStaysReadable()
    {
        runMethod(u"repquant"_s, 12);
        QTRY_VERIFY(reconstruction().isVisible());
        QTRY_VERIFY_WITH_TIMEOUT(!reconstruction().curve()->sections().empty(), kPatienceMs);
        wait();
        QVERIFY(session().form() != nullptr);
        QCOMPARE(session().form()->name, std::string("repquant W3A4"));
        const auto& sections = reconstruction().curve()->sections();
        QCOMPARE(sections.size(), std::size_t {3}); // two blocks, then all of them
        QCOMPARE(sections[0].iterations, std::int64_t {12});
        QCOMPARE(sections[2].iterations, std::int64_t {5});
        QVERIFY(reconstruction().status().startsWith(u"done"_s));
        QVERIFY(!reconstruction().cancelButton()->isVisible());
        QVERIFY(reconstruction().curve()->isVisible());

        // A click on a section goes to its block.
        QTableWidget* table = reconstruction().table();
        QTest::mouseClick(
            table->viewport(), Qt::LeftButton, {}, table->visualItemRect(table->item(1, 0)).center());
        QVERIFY(m_window->selection().front().startsWith(u"blocks.1"_s));
    }
    void aMethodTakesItsPartsFromTheDialog()
    {
        MethodRequest request;
        request.method = u"repquant"_s;
        request.options.without = {Ingredient::BiasRefit};
        request.options.views = 1;
        MethodDialog dialog(request, 12);
        QVERIFY(dialog.request().options.without == request.options.without); // what it was opened with
        QCOMPARE(dialog.request().options.views, std::int64_t {1});
        QVERIFY(!dialog.request().options.softmaxKind && !dialog.request().options.geluKind);
        for (QComboBox* box : dialog.findChildren<QComboBox*>()) {
            box->setCurrentIndex(box->findData(static_cast<int>(QuantizerKind::Log2)));
        }
        QVERIFY(dialog.request().options.softmaxKind == QuantizerKind::Log2);
        QVERIFY(dialog.request().options.geluKind == QuantizerKind::Log2);
        for (QCheckBox* box : dialog.findChildren<QCheckBox*>()) {
            box->toggle();
        }
        const MethodOptions toggled = dialog.request().options;
        QVERIFY(toggled.without
            == (std::set {
                Ingredient::Reparameterization, Ingredient::DualClipping, Ingredient::Reconstruction}));
        QCOMPARE(toggled.zeroPoint, ZeroPointRule::Rounded); // there are none without reparameterized norms

        // repq-vit has two parts; its softmax is chosen.
        m_window->findChild<QAction*>(u"repq-vit"_s)->trigger();
        QTRY_VERIFY(qobject_cast<MethodDialog*>(QApplication::activeModalWidget()) != nullptr);
        auto* shown = qobject_cast<MethodDialog*>(QApplication::activeModalWidget());
        QCOMPARE(shown->findChildren<QCheckBox*>().size(), 2); // norms, zero points
        QCOMPARE(shown->findChildren<QComboBox*>().size(), 1); // behind GELU it has uniform quantizers alone
        for (QComboBox* box : shown->findChildren<QComboBox*>()) {
            box->setCurrentIndex(box->findData(static_cast<int>(QuantizerKind::AdaLog)));
        }
        QTest::keyClick(shown, Qt::Key_Return);
        wait();
        QVERIFY(session().form() != nullptr);
        for (const Site& site : session().model()->sites) {
            if (site.role == Role::Softmax) {
                QCOMPARE(session().choice(site.name).kind, QuantizerKind::AdaLog);
            }
        }
    }
    void cancelStopsTheTraining()
    {
        runMethod(u"repquant"_s, 100000);
        QTRY_VERIFY_WITH_TIMEOUT(!reconstruction().curve()->sections().empty(), kPatienceMs);
        QTest::mouseClick(reconstruction().cancelButton(), Qt::LeftButton);
        wait();
        QVERIFY(session().form() == nullptr && session().undoStack()->index() == 0);
        QCOMPARE(reconstruction().status(), u"cancelled"_s);
        QVERIFY(!reconstruction().curve()->sections().empty());
    }
    void learnedBoundsGoToTheChannelMapAndCanBeDragged()
    {
        runMethod(u"repquant"_s, 12);
        wait();
        raise("reparameterizationDock");
        m_window->selectSite(kSite);
        QTRY_VERIFY_WITH_TIMEOUT(
            whatIf().before()->csv().contains(u"learned, lower"_s), kPatienceMs); // once the hand has rested
        wait();
        QVERIFY(!whatIf().thisSwitch()->isEnabled()); // the weights were trained for it
        const QString csv = whatIf().before()->csv();
        QVERIFY(!session().form()->rewriting.shifts.empty());
        const std::string shifted = session().form()->rewriting.shifts.front().site;
        QCOMPARE(session().choice(shifted).kind, QuantizerKind::LogSqrt2);
        m_window->selectSite(QString::fromStdString(shifted));
        wait();
        auto* view = m_window->findChild<DistributionView*>();
        QVERIFY(view->summary().contains(u"values + 0.17"_s));

        QTest::mouseClick(whatIf().boundsButton(), Qt::LeftButton);
        wait();
        QVERIFY(session().form() == nullptr);
        QCOMPARE(session().choice(shifted).kind, QuantizerKind::Uniform); // there are negative values again
        QVERIFY(!view->summary().contains(u"values + "_s));
        m_window->selectSite(kSite);
        const SiteChoice choice = session().choice(kSite.toStdString());
        QCOMPARE(choice.granularity, Granularity::Group);
        QCOMPARE(choice.method, BoundMethod::Manual);
        const QStringList firstRow = csv.split(u'\n').at(1).split(u',');
        QVERIFY(std::abs(choice.manualBounds[0].lower - firstRow.at(5).toDouble()) < 1e-6);
        QVERIFY(std::abs(choice.manualBounds[0].upper - firstRow.at(6).toDouble()) < 1e-6);

        QCustomPlot* map = view->channelMap()->plot();
        QTest::mouseClick(map, Qt::LeftButton, {},
            QPoint(static_cast<int>(map->xAxis->coordToPixel(2.0)), map->axisRect()->center().y()));
        QCOMPARE(view->channelMap()->selectedChannel(), 2);
        wait();
        DistributionPlot* plot = view->distributionPlot();
        const double upper = plot->bounds().upper;
        QVERIFY(std::abs(upper - choice.manualBounds[2].upper) < 1e-6);
        const auto pixelOf = [&](double value) {
            return QPoint(
                static_cast<int>(plot->plot()->axisRect()->axis(QCPAxis::atBottom)->coordToPixel(value)),
                plot->plot()->axisRect()->center().y());
        };
        QTest::mousePress(plot->plot(), Qt::LeftButton, {}, pixelOf(upper));
        QTest::mouseMove(plot->plot(), pixelOf(upper * 0.7));
        QTest::mouseMove(plot->plot(), pixelOf(upper * 0.6));
        QTest::mouseRelease(plot->plot(), Qt::LeftButton, {}, pixelOf(upper * 0.6));
        const SiteChoice dragged = session().choice(kSite.toStdString());
        QVERIFY(dragged.manualBounds[2].upper < 0.75 * upper);
        QCOMPARE(dragged.manualBounds[1], choice.manualBounds[1]);
        QTRY_VERIFY_WITH_TIMEOUT(whatIf().thisSwitch()->isEnabled(), kPatienceMs); // can be folded again
    }
};

QTEST_MAIN(TestRewritingWindow)
#include "tst_rewriting_window.moc"
