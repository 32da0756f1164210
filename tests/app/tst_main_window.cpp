#include "app/ui/command_palette.h"
#include "app/ui/demo.h"
#include "app/ui/help_window.h"
#include "app/ui/main_window.h"
#include "app/ui/preset_dialog.h"
#include "app/ui/settings.h"
#include "app/ui/tour.h"
#include "core/eval/session_file.h"
#include "core/quant/resolve.h"
#include "tests/app/fresh_window.h"
#include "widgets/common/display_names.h"
#include "widgets/models/bits_matrix_model.h"
#include "widgets/plot/channel_map.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/views/bits_matrix_view.h"
#include "widgets/views/compare_view.h"
#include "widgets/views/distribution_view.h"
#include "widgets/views/ghost_menu.h"
#include "widgets/views/site_tree_view.h"

#include <qcustomplot.h>

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDockWidget>
#include <QGuiApplication>
#include <QHeaderView>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QSignalSpy>
#include <QSpinBox>
#include <QSplitter>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>
#include <QTextBrowser>
#include <QToolButton>
#include <QTreeView>
#include <QWindow>

#include <random>

using namespace qs;
using namespace qs::test;
using namespace Qt::StringLiterals;

namespace {

constexpr int kPatienceMs = 120000;

} // namespace

/// The whole window on the bundled demo, driven by mouse and keyboard.
class TestMainWindow : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        m_window = freshWindow(u"MainWindow"_s);
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
        m_window->openDemo();
        QTRY_VERIFY_WITH_TIMEOUT(session().calibration() != nullptr, kPatienceMs);
        m_site = QString::fromStdString(session().model()->sites.at(2).name);
        for (const Site& site : session().model()->sites) {
            if (site.role == Role::PostNormQkv && site.kind == SiteKind::Activation) {
                m_site = QString::fromStdString(site.name);
                break;
            }
        }
    }
    void cleanupTestCase() { m_window.reset(); }
    void init()
    {
        m_window->activateWindow(); // another window may have been open
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
        session().undoStack()->setIndex(0);
        m_window->selectSite(m_site);
        QTRY_VERIFY_WITH_TIMEOUT(view().distributionPlot()->histogram() != nullptr, kPatienceMs);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
    }

    void aDragIsOneUndoStepAndEscapeLeavesNone()
    {
        const Plan before = session().plan();
        const int steps = session().undoStack()->index();
        dragUpper(0.6);
        QCOMPARE(session().undoStack()->index(), steps + 1);
        QVERIFY(!(session().plan() == before));
        QCOMPARE(choice().method, BoundMethod::Manual);
        QTest::keyClick(m_window.get(), Qt::Key_Z, Qt::ControlModifier);
        QCOMPARE(session().plan(), before);

        press();
        move(0.5, Qt::NoModifier);
        QVERIFY(!(session().plan() == before));
        QTest::keyClick(canvas(), Qt::Key_Escape);
        QCOMPARE(session().plan(), before);
        QCOMPARE(session().undoStack()->index(), steps);
        release(0.5);
    }
    void aKeyboardNudgeMovesOneBin()
    {
        QTest::mouseClick(
            canvas(), Qt::LeftButton, {}, pixel(1.0)); // takes the upper bound without moving it
        const double before = view().distributionPlot()->bounds().upper;
        const double bin = view().distributionPlot()->histogram()->width;
        QTest::keyClick(canvas(), Qt::Key_Left);
        QVERIFY(std::abs(before - choice().manualBounds.front().upper - bin) < 1e-6 * bin);
    }
    void aSymmetricDragSetsBothBounds()
    {
        press();
        move(0.5, Qt::ShiftModifier);
        release(0.5);
        const Bounds bounds = choice().manualBounds.front();
        QCOMPARE(bounds.lower, -bounds.upper);
    }
    void theInspectorsBoundsByLeastDivergenceAreShown()
    {
        SiteChoice few = choice();
        few.bits = 4;
        session().edit({{m_site.toStdString(), few}}, u"4 bits"_s);
        QComboBox* bounds = nullptr;
        for (auto* box : m_window->findChildren<QComboBox*>()) {
            bounds = box->accessibleName() == u"Bounds"_s ? box : bounds;
        }
        QVERIFY(bounds != nullptr);
        bounds->setFocus();
        while (bounds->currentText() != displayName(BoundMethod::Kl)) {
            const int before = bounds->currentIndex();
            QTest::keyClick(bounds, Qt::Key_Down);
            QVERIFY(bounds->currentIndex() > before);
        }
        QCOMPARE(choice().method, BoundMethod::Kl);
        const int index = indexOfSite(session().model()->sites, m_site.toStdString());
        const Site& site = session().model()->sites[static_cast<std::size_t>(index)];
        const auto resolved = [&](const SiteChoice& each) {
            return resolveSite(*session().model(), site, each, *session().calibration()).bounds.front();
        };
        QVERIFY(resolved(choice()) != resolved(few));
        QTRY_COMPARE_WITH_TIMEOUT(view().distributionPlot()->bounds(), resolved(choice()), kPatienceMs);
    }
    void aDragOfAnAdaLogQuantizerKeepsItsBase()
    {
        const auto& sites = session().model()->sites;
        const auto softmax = std::ranges::find(sites, Role::Softmax, &Site::role);
        SiteChoice adaLog = session().choice(softmax->name);
        adaLog.kind = QuantizerKind::AdaLog;
        adaLog.bits = 4;
        session().edit({{softmax->name, adaLog}}, u"AdaLog"_s);
        m_window->selectSite(QString::fromStdString(softmax->name));
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
        const Bounds before
            = resolveSite(*session().model(), *softmax, adaLog, *session().calibration()).bounds.front();
        dragUpper(0.6);
        const Bounds after = session().choice(softmax->name).manualBounds.front();
        QVERIFY(after.upper < 0.9 * before.upper);
        QVERIFY(std::abs(after.upper / after.lower - before.upper / before.lower) < 1e-9);
    }
    void aPresetOfOnesOwnIsOneStep()
    {
        trigger(u"&Own…"_s);
        auto* dialog = qobject_cast<PresetDialog*>(QApplication::activeModalWidget());
        QVERIFY(dialog != nullptr);
        const auto choose = [dialog](const QString& name, int value) {
            for (QSpinBox* box : dialog->findChildren<QSpinBox*>()) {
                if (box->accessibleName() == name) {
                    box->setValue(value);
                }
            }
            for (QComboBox* box : dialog->findChildren<QComboBox*>()) {
                if (box->accessibleName() == name) {
                    box->setCurrentIndex(box->findData(value));
                }
            }
        };
        choose(u"Weight bits"_s, 3);
        choose(u"Activation bits"_s, 5);
        choose(u"Bits of the patch embedding's input"_s, 7);
        choose(u"Bounds"_s, static_cast<int>(BoundMethod::Mse));
        choose(u"Scales behind LayerNorm"_s, static_cast<int>(Granularity::Group));
        choose(u"Attention probabilities"_s, static_cast<int>(QuantizerKind::AdaLog));
        choose(u"Weights"_s, static_cast<int>(Symmetry::Symmetric));
        QTest::keyClick(dialog, Qt::Key_Return);
        QCOMPARE(session().undoStack()->index(), 1);
        QVERIFY(session().undoStack()->undoText().contains(u"W3A5, least MSE"_s));
        for (const Site& site : session().model()->sites) {
            const SiteChoice choice = session().choice(site.name);
            const bool weight = site.kind == SiteKind::Weight;
            QCOMPARE(choice.bits, weight ? 3 : site.role == Role::PatchEmbedding ? 7 : 5);
            QCOMPARE(choice.method, BoundMethod::Mse);
            QCOMPARE(choice.symmetry, weight ? Symmetry::Symmetric : Symmetry::Asymmetric);
            if (site.role == Role::Softmax) {
                QCOMPARE(choice.kind, QuantizerKind::AdaLog);
            }
            if (site.role == Role::PostNormQkv && !weight) {
                QCOMPARE(choice.granularity, Granularity::Group);
            }
        }
    }
    void viewsAreFoundAsTheyWereLeft()
    {
        int column = 0;
        QList<int> sizes;
        {
            MainWindow window;
            window.show();
            QHeaderView* header = window.findChild<SiteTreeView*>()->treeView()->header();
            column = header->sectionSize(1) + 31;
            header->resizeSection(1, column);
            auto* splitter = window.findChild<DistributionView*>()->findChild<QSplitter*>();
            splitter->setSizes({150, 850});
            sizes = splitter->sizes();
            window.close();
        }
        MainWindow window;
        window.show();
        QHeaderView* header = window.findChild<SiteTreeView*>()->treeView()->header();
        QCOMPARE(header->sectionSize(1), column);
        QCOMPARE(window.findChild<DistributionView*>()->findChild<QSplitter*>()->sizes(), sizes);
        for (QAction* action : window.findChildren<QAction*>()) {
            if (action->text() == u"&Default Layout"_s) {
                action->trigger();
            }
        }
        QCOMPARE(header->sectionSize(1), column - 31);
    }
    void sessionsAreAmongTheRecentFiles()
    {
        QTemporaryDir folder;
        const QString file = folder.filePath(u"work.qscope"_s);
        saveSession(session().toFile(m_site), file.toStdString());
        MainWindow window;
        window.show();
        window.openPath(file);
        QTRY_VERIFY_WITH_TIMEOUT(window.session()->model() != nullptr, kPatienceMs);
        QTRY_VERIFY(Settings().recentFiles().contains(file));
        QTRY_VERIFY_WITH_TIMEOUT(window.jobs()->isIdle(), kPatienceMs);
        QSignalSpy opened(window.session(), &Session::documentChanged);
        for (QAction* action : window.findChildren<QAction*>()) {
            if (action->text() == file) {
                action->trigger();
                break;
            }
        }
        QTRY_COMPARE_WITH_TIMEOUT(opened.size(), 1, kPatienceMs);
        QVERIFY(window.session()->plan() == session().plan());
    }
    void aGroupDragSetsTheMarkedChannels()
    {
        SiteChoice perChannel = choice();
        perChannel.granularity = Granularity::Group;
        session().edit({{m_site.toStdString(), perChannel}}, u"per channel"_s);
        QCustomPlot* map = view().channelMap()->plot();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
        map->replot(QCustomPlot::rpImmediateRefresh);
        const auto at = [&](int position) {
            return QPoint(qRound(map->xAxis->coordToPixel(position)), map->axisRect()->rect().center().y());
        };
        QTest::mousePress(map, Qt::LeftButton, {}, at(3));
        QTest::mouseMove(map, at(8));
        QTest::mouseRelease(map, Qt::LeftButton, {}, at(8));
        const QVector<int> marked = view().channelMap()->brushedChannels();
        QVERIFY(marked.size() >= 3);
        dragUpper(0.7);
        const auto bounds = choice().manualBounds;
        QCOMPARE(bounds.size(), session().calibration()->find(m_site.toStdString())->groups.size());
        for (const int group : marked) {
            QCOMPARE(
                bounds[static_cast<std::size_t>(group)], bounds[static_cast<std::size_t>(marked.front())]);
        }
        QTest::keyClick(map, Qt::Key_Escape);
    }
    void twoHundredMixedEditsAndBackAgain()
    {
        std::mt19937 random(7);
        const Plan first = session().plan();
        std::vector<Plan> history {first};
        const auto& sites = session().model()->sites;
        const auto pick
            = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
        while (history.size() < 201) {
            const Site& site = sites[static_cast<std::size_t>(pick(static_cast<int>(sites.size())))];
            switch (pick(5)) {
            case 0: { // one field of one site
                SiteChoice edited = session().choice(site.name);
                edited.bits = 2 + (edited.bits - 1) % 15;
                session().edit({{site.name, edited}}, u"bits"_s);
                break;
            }
            case 1: { // several sites at once
                ChoiceMap several;
                for (int i = 0; i < 5; ++i) {
                    const Site& other = sites[static_cast<std::size_t>(pick(static_cast<int>(sites.size())))];
                    SiteChoice edited = session().choice(other.name);
                    edited.enabled = !edited.enabled;
                    several[other.name] = edited;
                }
                session().edit(several, u"on and off"_s);
                break;
            }
            case 2: { // a whole preset
                PresetOptions options;
                options.weightBits = 3 + pick(6);
                options.activationBits = 3 + pick(6);
                session().replacePlan(makePreset(sites, options), u"preset"_s);
                break;
            }
            case 3: dragUpper(0.4 + 0.05 * pick(9)); break;
            default: { // a gesture taken back leaves no step
                press();
                move(0.3, Qt::NoModifier);
                QTest::keyClick(canvas(), Qt::Key_Escape);
                release(0.3);
                break;
            }
            }
            if (!(session().plan() == history.back())) {
                history.push_back(session().plan());
            }
        }
        QCOMPARE(session().undoStack()->index(), 200);
        for (std::size_t i = history.size() - 1; i > 0; --i) {
            QCOMPARE(session().plan(), history[i]);
            session().undoStack()->undo();
        }
        QCOMPARE(session().plan(), first);
        for (std::size_t i = 1; i < history.size(); ++i) {
            session().undoStack()->redo();
            QCOMPARE(session().plan(), history[i]);
        }
    }
    void aQuantizerIsCopiedToOtherSites()
    {
        SiteChoice special = choice();
        special.bits = 5;
        special.symmetry = Symmetry::Symmetric;
        session().edit({{m_site.toStdString(), special}}, u"special"_s);
        QTest::keyClick(m_window.get(), Qt::Key_C, Qt::ControlModifier | Qt::ShiftModifier);
        QStringList others;
        for (const Site& site : session().model()->sites) {
            if (site.role == Role::PostGeluFc2 && site.kind == SiteKind::Activation) {
                others << QString::fromStdString(site.name);
            }
        }
        m_window->findChild<SiteTreeView*>()->setSelectedSites(others);
        emit m_window->findChild<SiteTreeView*>()->selectionChangedTo(others);
        const int steps = session().undoStack()->index();
        QTest::keyClick(m_window.get(), Qt::Key_V, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(session().undoStack()->index(), steps + 1); // one step for all of them
        for (const QString& site : others) {
            QCOMPARE(session().choice(site.toStdString()), special);
        }
        QGuiApplication::clipboard()->setText(u"no plan"_s);
        QTest::keyClick(m_window.get(), Qt::Key_V, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(session().undoStack()->index(), steps + 1);
    }
    void theBitsSheetEditsThePlan()
    {
        auto* sheet = m_window->findChild<BitsMatrixView*>();
        const QModelIndex cell = sheet->matrix()->indexOf(m_site);
        QVERIFY(cell.isValid());
        sheet->setCurrentIndex(cell);
        QVERIFY(sheet->matrix()->setData(cell, 3));
        QCOMPARE(choice().bits, 3);
        QCOMPARE(sheet->matrix()->textAt(cell), u"3"_s);
    }
    void theTreeShowsTheWorstTen()
    {
        auto* tree = m_window->findChild<SiteTreeView*>();
        QTRY_VERIFY_WITH_TIMEOUT(session().siteErrors().value != nullptr, kPatienceMs);
        auto* worst = tree->findChild<QToolButton*>(u"worst"_s);
        worst->setChecked(true);
        const QAbstractItemModel& shown = *tree->treeView()->model();
        int sites = 0;
        for (int top = 0; top < shown.rowCount(); ++top) {
            const int inside = shown.rowCount(shown.index(top, 0));
            sites += inside == 0 ? 1 : inside;
        }
        QCOMPARE(sites, 10);
        worst->setChecked(false);
    }
    void plansAreComparedToTheSampleAndTheLayer()
    {
        PresetOptions options;
        options.weightBits = 4;
        options.activationBits = 4;
        session().replacePlan(makePreset(session().model()->sites, options), u"bad"_s);
        trigger(u"&Evaluate"_s);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
        QCOMPARE(session().snapshots().size(), std::size_t {1});
        options.normGranularity = Granularity::Group;
        options.method = BoundMethod::Percentile;
        session().replacePlan(makePreset(session().model()->sites, options), u"better"_s);
        trigger(u"&Evaluate"_s);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
        QCOMPARE(session().snapshots().size(), std::size_t {2});

        auto* compare = m_window->findChild<CompareView*>();
        QTableWidget* table = compare->metrics()->table();
        QCOMPARE(table->rowCount(), 3); // FP32 and two plans
        const auto select = [table](int row) { // selectRow() would look at the keys of the tests before
            table->setCurrentCell(row, 0, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
        };
        select(1);
        const auto& outcomes = session().snapshots()[0].evaluation->outcomes;
        const auto changed = std::ranges::count_if(
            outcomes, [](const SampleOutcome& outcome) { return outcome.changedRows > 0; });
        QCOMPARE(compare->flips()->rows().size(), static_cast<std::size_t>(changed));
        const double agreement = session().snapshots()[0].evaluation->metrics.agreementPercent;
        QVERIFY(std::abs(100.0 - 100.0 * static_cast<double>(changed) / static_cast<double>(outcomes.size())
                    - agreement)
            < 1e-9);

        QVERIFY(!compare->flips()->rows().empty());
        QListWidget* flips = compare->flips()->list();
        QTest::mouseClick(
            flips->viewport(), Qt::LeftButton, {}, flips->visualItemRect(flips->item(0)).center());
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->jobs()->isIdle(), 5000);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
        QVERIFY(compare->chart()->plot()->graphCount() == 1);

        const Plan second = session().plan();
        select(0);
        select(1);
        emit compare->restoreRequested();
        QCOMPARE(session().plan(), session().snapshots()[0].plan);
        session().undoStack()->undo();
        QCOMPARE(session().plan(), second);
        emit compare->removeRequested();
        QCOMPARE(session().snapshots().size(), std::size_t {1});
    }
    void overlaysShowTheirErrors()
    {
        auto* menu = view().findChild<GhostMenu*>();
        for (QAction* action : menu->menu()->actions()) {
            if (action->isEnabled() && !action->isChecked() && view().ghostChoices().size() < 4) {
                action->trigger();
            }
        }
        QCOMPARE(view().ghostChoices().size(), std::size_t {4});
        QTRY_COMPARE_WITH_TIMEOUT(view().ghosts().size(), std::size_t {4}, kPatienceMs);
        for (const GhostQuantizer& ghost : view().ghosts()) {
            QVERIFY(std::isfinite(ghost.sqnrDb));
            QVERIFY(!ghost.params.scales.empty());
        }
        for (QAction* action : menu->menu()->actions()) {
            if (action->isChecked()) {
                action->trigger();
            }
        }
        QVERIFY(view().ghosts().empty());
    }
    void thePaletteFindsActionsAndSites()
    {
        QVERIFY(paletteScore(u"ev"_s, u"Run › Evaluate"_s) >= 0);
        QVERIFY(paletteScore(u"ev"_s, u"Run › Evaluate"_s) < paletteScore(u"ev"_s, u"Edit › Leave Sites"_s));
        QCOMPARE(paletteScore(u"xyz"_s, u"Run › Evaluate"_s), -1);

        QTest::keyClick(m_window.get(), Qt::Key_P, Qt::ControlModifier | Qt::ShiftModifier);
        QPointer<CommandPalette> palette = m_window->findChild<CommandPalette*>();
        QVERIFY(palette);
        auto* input = palette->findChild<QLineEdit*>();
        const QString last = QString::fromStdString(session().model()->sites.back().name);
        QTest::keyClicks(input, last);
        QCOMPARE(palette->findChild<QListWidget*>()->currentItem()->text(), last);
        QTest::keyClick(input, Qt::Key_Return);
        QTRY_VERIFY(!palette);
        QTRY_COMPARE(m_window->selection(), QStringList {last});
    }
    void theDefaultLayoutBringsEveryViewBack()
    {
        const auto dock
            = [this](const char* name) { return m_window->findChild<QDockWidget*>(QLatin1String(name)); };
        dock("modelDock")->hide();
        dock("jobsDock")->setFloating(true);
        m_window->addDockWidget(Qt::RightDockWidgetArea, dock("bitsDock"));
        trigger(u"&Default Layout"_s);
        const QList<QDockWidget*> docks = m_window->findChildren<QDockWidget*>();
        for (const QDockWidget* each : docks) {
            QVERIFY2(!each->isHidden() && !each->isFloating(), qPrintable(each->objectName()));
        }
        QCOMPARE(m_window->dockWidgetArea(dock("modelDock")), Qt::LeftDockWidgetArea);
        QCOMPARE(m_window->dockWidgetArea(dock("quantizerDock")), Qt::RightDockWidgetArea);
        // All others are tabs in one place, the sensitivities in front.
        QCOMPARE(m_window->dockWidgetArea(dock("sensitivityDock")), Qt::BottomDockWidgetArea);
        QCOMPARE(m_window->tabifiedDockWidgets(dock("sensitivityDock")).size(), docks.size() - 3);
        QTRY_VERIFY(!dock("sensitivityDock")->visibleRegion().isEmpty());
    }
    void helpKeepsItsPages()
    {
        trigger(u"&Guide"_s);
        auto* help = m_window->findChild<HelpWindow*>();
        QVERIFY(help != nullptr && help->isVisible());
        auto* browser = help->findChild<QTextBrowser*>();
        auto* contents = help->findChild<QListWidget*>();
        QVERIFY(browser->toPlainText().startsWith(u"Guide"_s));
        const QTextDocument* guide = browser->document();
        contents->setCurrentRow(1);
        QVERIFY(browser->document() != guide && browser->toPlainText().contains(u"asymmetric"_s));
        contents->setCurrentRow(2);
        QVERIFY(browser->toPlainText().contains(u"quantoscope-session"_s));
        contents->setCurrentRow(0);
        QCOMPARE(browser->document(), guide); // laid out once
        emit browser->anchorClicked(QUrl(u"numerics.md"_s));
        QCOMPARE(contents->currentRow(), 1);
        help->close();
    }
    void theTourWalksThroughTheWindow()
    {
        const auto actions = m_window->findChildren<QAction*>();
        const auto tour = std::find_if(actions.begin(), actions.end(),
            [](const QAction* action) { return action->text() == u"&Tour of the Window"_s; });
        QVERIFY(tour != actions.end());
        (*tour)->trigger();
        QPointer<Tour> shown = m_window->findChild<Tour*>();
        QVERIFY(shown);
        QCOMPARE(shown->stop(), 0);
        QTest::keyClick(shown->focusWidget(), Qt::Key_Right);
        QCOMPARE(shown->stop(), 1);
        QTest::keyClick(shown->focusWidget(), Qt::Key_Left);
        QCOMPARE(shown->stop(), 0);
        QTest::keyClick(shown->focusWidget(), Qt::Key_Escape);
        QTRY_VERIFY(!shown);
    }
    void aDragCountsWhileTheTourIsShown()
    {
        trigger(u"&Tour of the Window"_s);
        QPointer<Tour> tour = m_window->findChild<Tour*>();
        QVERIFY(tour);
        QTest::keyClick(tour->focusWidget(), Qt::Key_Right);
        QTest::keyClick(tour->focusWidget(), Qt::Key_Right); // it speaks of the histogram
        QCOMPARE(tour->stop(), 2);
        const Plan before = session().plan();
        dragThroughWindow();
        QVERIFY(!(session().plan() == before));
        QVERIFY(tour);
        QCOMPARE(tour->stop(), 2);

        session().undoStack()->undo();
        QCOMPARE(session().plan(), before);
        QTest::keyClick(tour.data(), Qt::Key_Left); // now the histogram lies in the dark
        QCOMPARE(tour->stop(), 1);
        dragThroughWindow();
        QVERIFY(!(session().plan() == before));
        QTRY_VERIFY(!tour);
    }

private:
    [[nodiscard]] Session& session() const { return *m_window->session(); }
    [[nodiscard]] DistributionView& view() const { return *m_window->findChild<DistributionView*>(); }
    [[nodiscard]] QCustomPlot* canvas() const { return view().distributionPlot()->plot(); }
    void trigger(const QString& text)
    {
        for (QAction* action : m_window->findChildren<QAction*>()) {
            if (action->text() == text && action->isEnabled()) {
                action->trigger();
            }
        }
    }
    [[nodiscard]] SiteChoice choice() const { return session().choice(m_site.toStdString()); }
    /// Where `factor` times the upper bound is drawn.
    [[nodiscard]] QPoint pixel(double factor) const
    {
        return {
            qRound(canvas()->xAxis->coordToPixel(
                m_grabbed > 0.0 ? factor * m_grabbed : factor * view().distributionPlot()->bounds().upper)),
            canvas()->axisRect(0)->rect().center().y()};
    }
    void press()
    {
        canvas()->replot(QCustomPlot::rpImmediateRefresh);
        m_grabbed = view().distributionPlot()->bounds().upper;
        QTest::mousePress(canvas(), Qt::LeftButton, {}, pixel(1.0));
    }
    void move(double factor, Qt::KeyboardModifiers modifiers)
    {
        const QPointF at(pixel(factor));
        QMouseEvent event(
            QEvent::MouseMove, at, canvas()->mapToGlobal(at), Qt::NoButton, Qt::LeftButton, modifiers);
        QCoreApplication::sendEvent(canvas(), &event);
    }
    void release(double factor)
    {
        QTest::mouseRelease(canvas(), Qt::LeftButton, {}, pixel(factor));
        m_grabbed = 0.0;
    }
    /// Of the upper bound, by events of the window: whatever lies on top gets them.
    void dragThroughWindow()
    {
        canvas()->replot(QCustomPlot::rpImmediateRefresh);
        QWindow* window = m_window->windowHandle();
        const QPoint from = canvas()->mapTo(m_window.get(), pixel(1.0));
        QTest::mousePress(window, Qt::LeftButton, {}, from);
        for (int i = 1; i <= 4; ++i) {
            QTest::mouseMove(window, from - QPoint(20 * i, 0));
        }
        QTest::mouseRelease(window, Qt::LeftButton, {}, from - QPoint(80, 0));
    }
    void dragUpper(double factor)
    {
        press();
        move((1.0 + factor) / 2.0, Qt::ControlModifier);
        move(factor, Qt::ControlModifier);
        release(factor);
    }

    std::unique_ptr<MainWindow> m_window;
    QString m_site;
    double m_grabbed = 0.0; ///< upper bound when the drag began
};

QTEST_MAIN(TestMainWindow)
#include "tst_main_window.moc"
