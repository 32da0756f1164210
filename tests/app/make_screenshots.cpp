// Drives the real window as a user would and saves pictures of all its screens, in two sizes, light and dark.
// Usage: qs_screenshots FOLDER [MODEL CALIBRATION-DATA EVALUATION-DATA] [--only NAME]     the demo by default
// Scale 2: with QT_SCALE_FACTOR=2 in the environment; the names of the files then end in @2x.
#include "app/ui/command_palette.h"
#include "app/ui/main_window.h"
#include "app/ui/settings.h"
#include "app/ui/tour.h"
#include "core/eval/session_file.h"
#include "tests/app/fresh_window.h"
#include "widgets/plot/channel_map.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/plot/loss_curve.h"
#include "widgets/plot/sensitivity_chart.h"
#include "widgets/plot/sensitivity_menu.h"
#include "widgets/views/compare_view.h"
#include "widgets/views/distribution_view.h"
#include "widgets/views/ghost_menu.h"
#include "widgets/views/reparameterization_view.h"
#include "widgets/views/site_tree_view.h"

#include <qcustomplot.h>

#include <QAction>
#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QDockWidget>
#include <QElapsedTimer>
#include <QLineEdit>
#include <QListWidget>
#include <QMenu>
#include <QPainter>
#include <QPushButton>
#include <QSpinBox>
#include <QStyleFactory>
#include <QTableWidget>
#include <QTemporaryDir>
#include <QTest>

#include <cstdio>
#include <functional>

using namespace qs;
using namespace qs::test;
using namespace Qt::StringLiterals;

namespace {

template<typename Condition>
bool waitFor(Condition condition, int timeoutMs = 900000)
{
    QElapsedTimer clock;
    clock.start();
    while (!condition() && clock.elapsed() < timeoutMs) {
        QTest::qWait(20);
    }
    return condition();
}

/// The window, what it is asked to show, and the pictures of that.
class Photographer
{
public:
    Photographer(QString folder, QString only)
        : m_folder(std::move(folder))
        , m_only(std::move(only))
    {
        m_window.show();
    }

    using Act = std::function<void()>;

    /// One picture per size and theme; `enter` and `leave` run for each of them.
    void take(const QString& name, const Act& enter = {}, const Act& leave = {})
    {
        inAllLooks(name, [&](const QString& file) {
            if (enter) {
                enter();
            }
            QTest::qWait(kSettleMs);
            save(file);
            if (leave) {
                leave();
            }
        });
    }
    /// Of a dialog that `ask` opens; it is rejected.
    void takeDialog(const QString& name, const Act& ask)
    {
        inAllLooks(name, [&](const QString& file) {
            ask();
            waitFor([] { return QApplication::activeModalWidget() != nullptr; });
            QTest::qWait(kSettleMs);
            save(file);
            if (auto* dialog = qobject_cast<QDialog*>(QApplication::activeModalWidget())) {
                dialog->reject();
            }
        });
    }
    void trigger(const QString& text)
    {
        for (QAction* action : m_window.findChildren<QAction*>()) {
            if (action->text() == text && action->isEnabled()) {
                action->trigger();
                return;
            }
        }
        std::fprintf(stderr, "there is no action %s to be taken\n", qPrintable(text));
    }
    void raise(const QString& dock)
    {
        m_raised = dock; // stays in front in all looks
        if (auto* widget = m_window.findChild<QDockWidget*>(dock)) {
            widget->raise();
        }
    }
    bool settle()
    {
        return waitFor([this] { return m_window.jobs()->isIdle(); });
    }
    void select(Role role, SiteKind kind, int which)
    {
        for (const Site& site : m_window.session()->model()->sites) {
            if (site.role == role && site.kind == kind && which-- == 0) {
                m_window.selectSite(QString::fromStdString(site.name));
                settle();
                return;
            }
        }
    }
    [[nodiscard]] MainWindow& window() { return m_window; }
    [[nodiscard]] Session& session() { return *m_window.session(); }
    template<typename T>
    [[nodiscard]] T& view()
    {
        return *m_window.findChild<T*>();
    }

private:
    static constexpr int kSettleMs = 250;

    void inAllLooks(const QString& name, const std::function<void(const QString& file)>& picture)
    {
        if (!m_only.isEmpty() && !name.contains(m_only)) {
            return;
        }
        for (const QSize size : {QSize(1600, 1000), QSize(1280, 800)}) {
            for (const char* theme : {"&Light", "&Dark"}) {
                m_window.resize(size);
                trigger(u"&Default Layout"_s);
                raise(m_raised);
                trigger(QLatin1String(theme));
                QTest::qWait(kSettleMs);
                picture(u"%1-%2-%3"_s.arg(name)
                            .arg(size.width())
                            .arg(QString::fromLatin1(theme).mid(1).toLower()));
            }
        }
    }
    /// All windows as they lie above each other.
    void save(const QString& name)
    {
        QPixmap picture = m_window.grab();
        QPainter painter(&picture);
        for (QWidget* other : QApplication::topLevelWidgets()) {
            if (other != &m_window && other->isVisible() && other->windowHandle() != nullptr) {
                const QPoint at = other->mapToGlobal(QPoint()) - m_window.mapToGlobal(QPoint());
                painter.fillRect(QRect(at, other->size()).adjusted(-1, -1, 1, 1), Qt::gray);
                painter.drawPixmap(at, other->grab());
            }
        }
        painter.end();
        const bool isDouble = m_window.devicePixelRatioF() > 1.5;
        const QString file = QDir(m_folder).filePath(name + (isDouble ? u"@2x.png"_s : u".png"_s));
        picture.save(file);
        std::printf("%s\n", qPrintable(file));
        std::fflush(stdout);
    }

    MainWindow m_window;
    QString m_folder;
    QString m_only;
    QString m_raised = QStringLiteral("sensitivityDock");
};

void moveUpperBound(QCustomPlot* canvas, DistributionPlot* plot, QPoint& at)
{
    const double upper = plot->bounds().upper;
    const auto pixelOf = [&](double value) {
        return QPoint(qRound(canvas->xAxis->coordToPixel(value)), canvas->axisRect()->center().y());
    };
    canvas->replot(QCustomPlot::rpImmediateRefresh);
    QTest::mousePress(canvas, Qt::LeftButton, {}, pixelOf(upper));
    for (int i = 1; i <= 20; ++i) {
        at = pixelOf(upper * (1.0 - 0.02 * i));
        QTest::mouseMove(canvas, at);
        QTest::qWait(10);
    }
}

void photographDistributions(Photographer& p)
{
    p.select(Role::PostNormQkv, SiteKind::Activation, 1);
    p.take(u"channel-map"_s);
    auto* plot = p.view<DistributionView>().distributionPlot();
    QCustomPlot* canvas = plot->plot();
    p.select(Role::PostGeluFc2, SiteKind::Activation, 2);
    QPoint at;
    p.take(
        u"histogram-dragging"_s, [&] { moveUpperBound(canvas, plot, at); },
        [&] {
            QTest::keyClick(canvas, Qt::Key_Escape);
            QTest::mouseRelease(canvas, Qt::LeftButton, {}, at);
        });
    auto* ghosts = p.window().findChild<GhostMenu*>();
    const auto tick = [ghosts](bool on) {
        int ticked = 0;
        for (QAction* action : ghosts->menu()->actions()) {
            if (action->isCheckable() && action->isEnabled() && action->isChecked() != on && ticked++ < 4) {
                action->trigger();
            }
        }
    };
    tick(true);
    p.settle();
    p.take(u"overlays"_s);
    tick(false);
    p.select(Role::Softmax, SiteKind::Activation, 1);
    p.take(u"softmax"_s);
    SiteChoice adaLog = p.session().choice(p.window().selection().front().toStdString());
    adaLog.kind = QuantizerKind::AdaLog;
    p.session().edit({{p.window().selection().front().toStdString(), adaLog}}, u"AdaLog"_s);
    p.settle();
    p.take(u"softmax-adalog"_s);
    p.session().undoStack()->undo();
    p.select(Role::PostNormFc1, SiteKind::Weight, 0);
    p.take(u"weights"_s);
    p.take(u"inspector-several"_s, [&] {
        QStringList several;
        for (const Site& site : p.session().model()->sites) {
            if (site.role == Role::PostNormFc1) {
                several << QString::fromStdString(site.name);
            }
        }
        auto& tree = p.view<SiteTreeView>();
        tree.setSelectedSites(several);
        emit tree.selectionChangedTo(several);
        p.settle();
    });
    p.select(Role::PostNormQkv, SiteKind::Activation, 1);
}

void photographAnalyses(Photographer& p)
{
    p.raise(u"calibrationDock"_s);
    p.settle();
    p.take(u"calibration"_s);
    p.raise(u"bitsDock"_s);
    p.take(u"bits-matrix"_s);
    p.raise(u"budgetDock"_s);
    p.take(u"budget-empty"_s);
    p.raise(u"sensitivityDock"_s);
    p.take(u"sensitivity-empty"_s);
    p.raise(u"metricsDock"_s);
    p.take(u"compare-empty"_s);
    p.trigger(u"&Sensitivity"_s);
    p.trigger(u"&Evaluate"_s);
    QTest::qWait(3000);
    p.raise(u"jobsDock"_s);
    p.take(u"jobs"_s);
    p.settle();
    p.take(u"jobs-empty"_s);
    p.raise(u"sensitivityDock"_s);
    p.take(u"sensitivity"_s);
    auto* widths = p.view<SensitivityChart>().menu();
    widths->setWidths({3, 4, 8}); // 4 is known by now
    p.trigger(u"&Sensitivity"_s);
    p.settle();
    p.take(u"sensitivity-widths"_s);
    p.raise(u"budgetDock"_s);
    QTest::qWait(300);
    p.take(u"budget"_s);
    p.raise(u"sensitivityDock"_s);
    widths->setWidths({});

    PresetOptions better;
    better.weightBits = 4;
    better.activationBits = 4;
    better.method = BoundMethod::Percentile;
    better.normGranularity = Granularity::Group;
    better.softmaxKind = QuantizerKind::LogSqrt2;
    p.session().replacePlan(makePreset(p.session().model()->sites, better), u"better"_s);
    p.settle();
    p.take(u"sensitivity-stale"_s);
    p.trigger(u"&Evaluate"_s);
    p.settle();
    p.raise(u"metricsDock"_s);
    auto& compare = p.view<CompareView>();
    compare.metrics()->table()->selectRow(1);
    QTest::qWait(500); // the pictures come one by one
    p.take(u"compare"_s);
    if (!compare.flips()->rows().empty()) {
        emit compare.flips()->flipChosen(compare.flips()->rows().front().flip.sample);
        p.settle();
        p.take(u"compare-trace"_s);
    }
    p.raise(u"sensitivityDock"_s);
}

void photographHabits(Photographer& p)
{
    p.take(
        u"palette"_s,
        [&] {
            p.trigger(u"&Search Actions and Sites…"_s);
            auto* palette = p.window().findChild<CommandPalette*>();
            QTest::keyClicks(palette->findChild<QLineEdit*>(), u"qkv"_s);
        },
        [&] { p.window().findChild<CommandPalette*>()->reject(); });
    for (const int stop : {1, 3, 6}) {
        p.take(
            u"tour-%1"_s.arg(stop),
            [&] {
                p.trigger(u"&Tour of the Window"_s);
                for (int i = 1; i < stop; ++i) {
                    QTest::keyClick(p.window().findChild<Tour*>(), Qt::Key_Right);
                }
            },
            [&] {
                QTest::keyClick(p.window().findChild<Tour*>(), Qt::Key_Escape);
                waitFor([&] { return p.window().findChild<Tour*>() == nullptr; });
            });
    }
    p.take(
        u"help"_s, [&] { p.trigger(u"&Guide"_s); },
        [&] {
            for (QWidget* widget : QApplication::topLevelWidgets()) {
                if (widget != &p.window() && widget->isVisible()) {
                    widget->close();
                }
            }
        });
    p.takeDialog(u"data-dialog"_s, [&] { p.trigger(u"Open &Calibration Data…"_s); });
    p.takeDialog(u"preset-dialog"_s, [&] { p.trigger(u"&Own…"_s); });
    p.takeDialog(u"export-dialog"_s, [&] { p.trigger(u"E&xport Model…"_s); });
    p.window().openPath(u"/absent/recipe.json"_s);
    p.settle();
    p.take(u"banner-failure"_s);
}

/// What reparameterization does to a norm, a method at work, and what it learned.
void photographRewriting(Photographer& p)
{
    p.select(Role::PostNormQkv, SiteKind::Activation, 1);
    p.raise(u"reparameterizationDock"_s);
    const auto measured = [&p] {
        auto& view = p.view<ReparameterizationView>();
        waitFor([&] { return view.table()->rowCount() > 0; }, 20000);
        QTest::qWait(600); // it is measured when the hand rests
        p.settle();
    };
    measured();
    p.take(u"reparameterization"_s);
    p.takeDialog(u"method-dialog"_s, [&] { p.trigger(u"repquant…"_s); });

    p.trigger(u"repquant…"_s);
    waitFor([] { return QApplication::activeModalWidget() != nullptr; });
    auto* dialog = qobject_cast<QDialog*>(QApplication::activeModalWidget());
    for (QSpinBox* box : dialog->findChildren<QSpinBox*>()) {
        if (box->accessibleName().startsWith(u"Iterations"_s)) {
            box->setValue(30);
        }
    }
    dialog->accept();
    const auto& sections = p.view<LossCurve>().sections();
    waitFor([&] { return sections.size() >= 2; });
    p.raise(u"reconstructionDock"_s); // where the window has it by itself: pictures ask for the last raised
    p.take(u"reconstruction-running"_s);
    waitFor([&] { return p.session().form() != nullptr; });
    p.settle();
    p.take(u"reconstruction"_s);
    p.raise(u"reparameterizationDock"_s);
    measured();
    p.take(u"learned-bounds"_s);
    p.view<ReparameterizationView>().boundsButton()->click();
    measured();
    p.take(u"learned-bounds-on-map"_s);
}

/// The same session where the model is not at hand.
void photographReadOnly(Photographer& p, const QString& folder)
{
    SessionFile file = p.session().toFile(p.window().selection().value(0));
    file.modelPath = "/absent/model";
    const QString path = QDir(folder).filePath(u"colleague.qscope"_s);
    saveSession(file, path.toStdString());
    p.window().openPath(path);
    p.settle();
    p.take(u"read-only"_s);
}

} // namespace

int main(int argc, char** argv)
{
    QApplication application(argc, argv);
    QApplication::setStyle(QStyleFactory::create(u"Fusion"_s));
    QCommandLineParser parser;
    const QCommandLineOption only(u"only"_s, u"Only the screens whose name contains this."_s, u"NAME"_s);
    parser.addOption(only);
    parser.addHelpOption();
    parser.process(application);
    const QStringList arguments = parser.positionalArguments();
    if (arguments.size() != 1 && arguments.size() != 4) {
        std::fprintf(stderr, "usage: qs_screenshots FOLDER [MODEL CALIB EVAL] [--only NAME]\n");
        return 2;
    }
    QDir().mkpath(arguments.front());
    useEmptySettings(u"Screenshots"_s);
    Settings().setTourSeen();
    QDir(Settings::autosaveFolder()).removeRecursively(); // what earlier runs left
    QTemporaryDir scratch;

    Photographer p(arguments.front(), parser.value(only));
    p.take(u"empty"_s);
    if (arguments.size() == 4) {
        p.window().open(arguments[1], arguments[2], arguments[3]);
    } else {
        p.window().openDemo();
    }
    if (!waitFor([&] { return p.session().calibration() != nullptr; }) || !p.settle()) {
        std::fprintf(stderr, "the model was not calibrated in time\n");
        return 1;
    }
    PresetOptions options;
    options.weightBits = 4;
    options.activationBits = 4;
    options.softmaxKind = QuantizerKind::LogSqrt2;
    p.session().replacePlan(makePreset(p.session().model()->sites, options), u"W4A4"_s);
    p.settle();
    photographDistributions(p);
    photographAnalyses(p);
    photographHabits(p);
    photographRewriting(p);
    photographReadOnly(p, scratch.path());
    return 0;
}
