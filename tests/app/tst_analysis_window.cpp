#include "app/jobs/report_printing.h"
#include "app/ui/main_window.h"
#include "core/eval/plan_figures.h"
#include "tests/app/fresh_window.h"
#include "widgets/plot/sensitivity_chart.h"
#include "widgets/plot/sensitivity_menu.h"
#include "widgets/views/budget_view.h"
#include "widgets/views/calibration_view.h"

#include <qcustomplot.h>

#include <QAction>
#include <QApplication>
#include <QBuffer>
#include <QDialogButtonBox>
#include <QDir>
#include <QDockWidget>
#include <QFile>
#include <QFileDialog>
#include <QImage>
#include <QLineEdit>
#include <QMenu>
#include <QPrintDialog>
#include <QPrinter>
#include <QPushButton>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QTextDocument>
#include <QTextFrame>
#include <QTextTable>
#include <QTimer>

using namespace qs;
using namespace qs::test;
using namespace Qt::StringLiterals;

namespace {

constexpr int kPatienceMs = 120000;

} // namespace

/// Sensitivity, calibration and report in the window on the bundled demo.
class TestAnalysisWindow : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        m_window = freshWindow(u"AnalysisWindow"_s);
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
        m_window->openDemo();
        QTRY_VERIFY_WITH_TIMEOUT(session().calibration() != nullptr, kPatienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
        for (const Site& site : session().model()->sites) {
            if (site.role == Role::PostNormQkv && site.kind == SiteKind::Activation) {
                m_site = QString::fromStdString(site.name);
                break;
            }
        }
    }
    void cleanupTestCase() { m_window.reset(); }

    void theCalibrationViewFollowsTheSelection()
    {
        raise(u"calibrationDock"_s);
        auto* view = m_window->findChild<CalibrationView*>();
        m_window->selectSite(m_site);
        QTRY_VERIFY(view->summary().startsWith(m_site));
        QTRY_VERIFY(view->table()->rowCount() > 0);
        QVERIFY(!view->table()->item(0, 0)->text().startsWith(u"sample"_s)); // names of pictures
        const Plan before = session().plan();
        view->table()->setFocus();
        view->table()->selectRow(0);
        QTest::keyClick(view->table(), Qt::Key_Return);
        const SiteChoice choice = session().choice(m_site.toStdString());
        QCOMPARE(choice.method, BoundMethod::Manual);
        QCOMPARE(choice.manualBounds.size(), std::size_t {1});
        const auto& statistics = *session().calibration()->find(m_site.toStdString());
        QVERIFY(choice.manualBounds.front().lower >= static_cast<double>(statistics.minimum()));
        QVERIFY(choice.manualBounds.front().upper <= static_cast<double>(statistics.maximum()));
        session().undoStack()->undo();
        QVERIFY(session().plan() == before);
        const Site& weight = *std::ranges::find(session().model()->sites, SiteKind::Weight, &Site::kind);
        m_window->selectSite(QString::fromStdString(weight.name));
        QTRY_COMPARE(view->table()->rowCount(), 0);
        m_window->selectSite(m_site);
    }
    void onlyChangedSitesAreMeasuredAgain()
    {
        auto* chart = m_window->findChild<SensitivityChart*>();
        raise(u"sensitivityDock"_s);
        trigger(u"&Sensitivity"_s);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
        const auto first = session().sensitivity().value;
        QCOMPARE(first->size(), session().model()->sites.size());
        QVERIFY(first->front().intervals.has_value());
        QVERIFY(session().staleSensitivities().isEmpty());
        SiteChoice choice = session().choice(m_site.toStdString());
        choice.bits = 3;
        session().edit({{m_site.toStdString(), choice}}, u"three bits"_s);
        QCOMPARE(session().staleSensitivities(), QStringList {m_site});
        trigger(u"&Sensitivity"_s);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
        QVERIFY(session().staleSensitivities().isEmpty());
        const auto second = session().sensitivity().value;
        for (std::size_t i = 0; i < first->size(); ++i) {
            const bool edited = (*first)[i].site == m_site.toStdString();
            QCOMPARE((*second)[i].klNats == (*first)[i].klNats, !edited);
        }
        QTRY_COMPARE(chart->siteAt(0), QString::fromStdString(second->front().site));
        session().undoStack()->undo();
    }
    void aDraggedBudgetIsOneStep()
    {
        raise(u"budgetDock"_s);
        auto* view = m_window->findChild<BudgetView*>();
        QTRY_VERIFY(view->isVisible());
        QTRY_COMPARE(view->chart()->chosen(), -1); // one width was measured
        auto* menu = m_window->findChild<SensitivityMenu*>();
        menu->setWidths({3, 8});
        trigger(u"&Sensitivity"_s);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
        menu->setWidths({});
        const auto weights = std::ranges::count(session().model()->sites, SiteKind::Weight, &Site::kind);
        QTRY_COMPARE(view->chart()->csv().count(u'\n'), weights + 2); // a title, all at 3 bits, then one by one
        QCOMPARE(view->chart()->budget(), 8.0); // W8A8 is the plan
        QVERIFY(view->readout().contains(u"MB"_s));

        const Plan before = session().plan();
        const int steps = session().undoStack()->index();
        QCustomPlot* canvas = view->chart()->plot();
        canvas->replot(QCustomPlot::rpImmediateRefresh);
        const auto at = [canvas](double bits) {
            return QPoint(qRound(canvas->xAxis->coordToPixel(bits)), canvas->axisRect()->rect().center().y());
        };
        QTest::mousePress(canvas, Qt::LeftButton, {}, at(8.0));
        QTest::mouseMove(canvas, at(6.0));
        QTest::mouseMove(canvas, at(5.0));
        QVERIFY(session().plan() == before); // until the hand lets go
        QTest::mouseRelease(canvas, Qt::LeftButton, {}, at(5.0));
        QCOMPARE(session().undoStack()->index(), steps + 1);
        const double bits = planFigures(*session().model(), session().plan()).weightBits;
        QVERIFY2(bits <= 5.05 && bits > 4.0, qPrintable(QString::number(bits)));
        QTRY_COMPARE(view->chart()->chosen() >= 0 && view->chart()->budget() < 5.1, true);
        for (const Site& site : session().model()->sites) {
            const int chosen = session().choice(site.name).bits;
            QVERIFY(site.kind == SiteKind::Activation ? chosen == 8 : chosen == 3 || chosen == 8);
        }
        session().undoStack()->undo();
        QVERIFY(session().plan() == before);
    }
    void aReportIsWritten_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QByteArray>("begin");
        QTest::newRow("HTML") << u"report.html"_s << QByteArray("<!DOCTYPE html>");
        QTest::newRow("PDF") << u"report.pdf"_s << QByteArray("%PDF-1.");
    }
    void aReportIsWritten()
    {
        QFETCH(QString, name);
        QFETCH(QByteArray, begin);
        const QString file = m_folder.filePath(name);
        QTimer::singleShot(500, this, [file] {
            auto* dialog = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
            QVERIFY(dialog != nullptr);
            auto* edit = dialog->findChild<QLineEdit*>(u"fileNameEdit"_s);
            edit->setText(file);
            QTest::keyClick(edit, Qt::Key_Return);
        });
        trigger(u"Repor&t…"_s);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle() && QFile::exists(file), kPatienceMs);
        QFile written(file);
        QVERIFY(written.open(QIODevice::ReadOnly));
        const QByteArray bytes = written.readAll();
        QVERIFY(bytes.startsWith(begin));
        QVERIFY(bytes.size() > 20000);
        if (name.endsWith(u"html"_s)) {
            QVERIFY(bytes.contains(m_site.toUtf8()));
            QVERIFY(bytes.contains("data:image/png;base64,")); // what the window showed
            headsAreRepeated(QString::fromUtf8(bytes));
        }
    }
    void aViewIsPrinted()
    {
        // As somebody without a printer does: to a file.
        const QString file = m_folder.filePath(u"view.pdf"_s);
        QTimer::singleShot(500, this, [file] {
            auto* dialog = qobject_cast<QPrintDialog*>(QApplication::activeModalWidget());
            QVERIFY(dialog != nullptr);
            QCOMPARE(dialog->printer()->pageLayout().orientation(), QPageLayout::Landscape);
            auto* name = dialog->findChild<QLineEdit*>(u"filename"_s);
            QVERIFY(name != nullptr);
            name->setText(file);
            dialog->findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Ok)->click();
        });
        for (QAction* action : m_window->findChild<QMenu*>(u"print"_s)->actions()) {
            if (action->text() == u"&Distribution"_s) {
                action->trigger();
            }
        }
        QFile printed(file);
        QVERIFY(printed.open(QIODevice::ReadOnly));
        const QByteArray bytes = printed.readAll();
        QVERIFY(bytes.startsWith("%PDF-1."));
        QCOMPARE(bytes.count("/Type /Page\n"), 1);
        QVERIFY(bytes.size() > 10000); // something was drawn
        QVERIFY(!QFile::exists(QDir::current().filePath(u"print.pdf"_s)));
    }
    void picturesOfAPrintedReportKeepTheirShape()
    {
        // Three times as wide as high: two of them and a heading fit on a page, however many pixels they
        // have.
        QByteArray png;
        QBuffer buffer(&png);
        buffer.open(QIODevice::WriteOnly);
        QImage picture(2160, 720, QImage::Format_RGB32);
        picture.fill(Qt::blue);
        QVERIFY(picture.save(&buffer, "PNG"));
        const QByteArray svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"240\"/>";
        const auto image = [](const char* type, const QByteArray& bytes) {
            return u"<p><img width=\"720\" src=\"data:image/%1;base64,%2\"/></p>"_s.arg(
                QLatin1String(type), QString::fromLatin1(bytes.toBase64()));
        };
        const QString html = u"<h1>Report</h1>"_s + image("png", png) + image("svg+xml", svg);
        QCOMPARE(reportAsPdf(html, u"Report"_s).count("/Type /Page\n"), 1);
        QCOMPARE(reportAsPdf(html + html, u"Report"_s).count("/Type /Page\n"), 2);
    }

private:
    /// Tables that go on on the next page begin there with their heads again.
    static void headsAreRepeated(const QString& html)
    {
        QTextDocument document;
        document.setHtml(html);
        int longOnes = 0;
        for (const QTextFrame* frame : document.rootFrame()->childFrames()) {
            if (const auto* table = qobject_cast<const QTextTable*>(frame);
                table != nullptr && table->columns() > 2) {
                QCOMPARE(table->format().headerRowCount(), 1);
                longOnes += table->rows() > 40 ? 1 : 0;
            }
        }
        QVERIFY(longOnes >= 1); // the plan
    }
    Session& session() { return *m_window->session(); }
    void raise(const QString& dock)
    {
        auto* found = m_window->findChild<QDockWidget*>(dock);
        QVERIFY(found != nullptr);
        found->raise();
        QCoreApplication::processEvents();
    }
    void trigger(const QString& text)
    {
        for (QAction* action : m_window->findChildren<QAction*>()) {
            if (action->text() == text && action->isEnabled()) {
                action->trigger();
                return;
            }
        }
        QFAIL("no such action");
    }

    QTemporaryDir m_folder;
    std::unique_ptr<MainWindow> m_window;
    QString m_site;
};

QTEST_MAIN(TestAnalysisWindow)
#include "tst_analysis_window.moc"
