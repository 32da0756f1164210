// How fast the window answers while it works, and while a bound is dragged.
// Usage: qs_window_latency [MODEL CALIBRATION-DATA EVALUATION-DATA] [--size 1600x1000]      the demo by
// default Prints one line per figure; exits with 1 when a limit of the design is not kept.
#include "app/ui/main_window.h"
#include "app/ui/settings.h"
#include "core/eval/session_file.h"
#include "tests/app/fresh_window.h"
#include "tests/app/heartbeat.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/views/distribution_view.h"

#include <qcustomplot.h>

#include <QAction>
#include <QApplication>
#include <QCommandLineParser>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QStyleFactory>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace qs;
using namespace qs::test;
using namespace Qt::StringLiterals;

namespace {

constexpr double kHeartbeatLimitMs = 33.0; ///< at the 99th percentile
constexpr double kRepaintLimitMs = 16.0; ///< at the 95th percentile
constexpr double kSessionLimitMb = 60.0;
constexpr double kOpenLimitMs = 1000.0;
constexpr int kPatienceMs = 900000;

bool g_kept = true;

double percentile(std::vector<double> values, double share)
{
    std::ranges::sort(values);
    const auto index = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    return values[std::max<std::size_t>(index, 1) - 1];
}

void verdict(double value, double limit, const char* unit = "ms")
{
    const bool kept = value < limit;
    g_kept = g_kept && kept;
    std::printf("   %s (%.0f %s)\n", kept ? "kept" : "NOT KEPT", limit, unit);
}

void printBeat(const QString& what, Heartbeat& beat)
{
    const HeartbeatFigures figures = beat.figures();
    std::printf("%-28s %6zu beats   median %7.2f ms   p99 %7.2f ms   longest %7.2f ms", qPrintable(what),
        figures.beats, figures.median, figures.p99, figures.longest);
    verdict(figures.p99, kHeartbeatLimitMs);
    std::fflush(stdout);
    beat.restart();
}

template<typename Condition>
bool waitFor(Condition condition)
{
    QElapsedTimer clock;
    clock.start();
    while (!condition() && clock.elapsed() < kPatienceMs) {
        QTest::qWait(5);
    }
    return condition();
}

/// Sees when a widget has painted itself.
class PaintWatch : public QObject
{
public:
    explicit PaintWatch(QWidget* widget) { widget->installEventFilter(this); }
    bool painted = false;

protected:
    bool eventFilter(QObject* watched, QEvent* event) override
    {
        painted = painted || event->type() == QEvent::Paint;
        return QObject::eventFilter(watched, event);
    }
};

QAction* actionOf(const MainWindow& window, const QString& text)
{
    for (QAction* action : window.findChildren<QAction*>()) {
        if (action->text() == text && !action->isCheckable()) {
            return action;
        }
    }
    return nullptr;
}

bool settled(MainWindow& window)
{
    return window.jobs()->isIdle();
}

/// Milliseconds from each mouse move of a drag until the picture shows it.
std::vector<double> dragTimes(MainWindow& window, const QString& site)
{
    window.selectSite(site);
    QTest::qWait(400); // the site errors that follow a rest
    waitFor([&] { return window.liveError()->state().modelState == ResultState::Live; }); // jobs may go on
    const DistributionPlot* plot = window.findChild<DistributionView*>()->distributionPlot();
    QCustomPlot* canvas = plot->plot();
    canvas->replot(QCustomPlot::rpImmediateRefresh);
    const double from = canvas->xAxis->coordToPixel(plot->bounds().upper);
    const double y = canvas->axisRect(0)->rect().center().y();
    const auto send = [&](QEvent::Type type, double x, Qt::MouseButtons buttons) {
        const QPointF at(std::round(x), y);
        QMouseEvent event(type, at, canvas->mapToGlobal(at),
            type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton, buttons, Qt::ControlModifier);
        QApplication::sendEvent(canvas, &event);
    };
    constexpr int kMoves = 150;
    constexpr double kMovesPerSecond = 60.0;
    PaintWatch watch(canvas);
    std::vector<double> times;
    send(QEvent::MouseButtonPress, from, Qt::LeftButton);
    QCoreApplication::processEvents();
    const double step = -0.5 * (from - canvas->axisRect(0)->rect().left()) / kMoves;
    for (int i = 1; i <= kMoves; ++i) {
        QElapsedTimer clock;
        clock.start();
        watch.painted = false;
        send(QEvent::MouseMove, from + step * i, Qt::LeftButton);
        while (!watch.painted && clock.elapsed() < 1000) {
            QCoreApplication::processEvents();
        }
        times.push_back(static_cast<double>(clock.nsecsElapsed()) / 1e6);
        QTest::qWait(
            std::max(1, static_cast<int>(1000.0 / kMovesPerSecond) - static_cast<int>(times.back())));
    }
    send(QEvent::MouseButtonRelease, from + step * kMoves, Qt::NoButton);
    QCoreApplication::processEvents();
    return times;
}

void measureDrags(MainWindow& window)
{
    const std::pair<const char*, Role> kinds[] = {{"after LayerNorm", Role::PostNormQkv},
        {"after GELU", Role::PostGeluFc2}, {"softmax", Role::Softmax}};
    const auto model = window.session()->model();
    for (const auto& [name, role] : kinds) {
        const auto found = std::ranges::find_if(model->sites, [role = role](const Site& site) {
            return site.role == role && site.kind == SiteKind::Activation;
        });
        if (found == model->sites.end()) {
            continue;
        }
        const std::vector<double> times = dragTimes(window, QString::fromStdString(found->name));
        const double p95 = percentile(times, 0.95);
        std::printf("%-28s %6zu moves   median %7.2f ms   p95 %7.2f ms   longest %7.2f ms",
            qPrintable(u"drag, %1"_s.arg(QLatin1String(name))), times.size(), percentile(times, 0.5), p95,
            percentile(times, 1.0));
        verdict(p95, kRepaintLimitMs);
        std::fflush(stdout);
    }
}

/// Size of the session's file, and the time until it stands in the window again.
void measureSession(MainWindow& window, Heartbeat& beat)
{
    const QTemporaryDir folder;
    const QString path = folder.filePath(u"session.qscope"_s);
    saveSession(window.session()->toFile(window.selection().value(0)), path.toStdString());
    const double megabytes = static_cast<double>(QFileInfo(path).size()) / 1e6;
    std::printf("%-28s %.1f MB", "session file", megabytes);
    verdict(megabytes, kSessionLimitMb, "MB");
    const auto before = window.session()->model();
    beat.restart();
    QElapsedTimer clock;
    clock.start();
    window.openPath(path);
    waitFor([&] {
        return window.session()->model() != before
            && window.findChild<DistributionView*>()->distributionPlot()->histogram() != nullptr;
    });
    QCoreApplication::processEvents(); // painted
    const auto taken = static_cast<double>(clock.elapsed());
    std::printf("%-28s %.0f ms", "opening it", taken);
    verdict(taken, kOpenLimitMs);
    waitFor([&] { return settled(window); });
    printBeat(u"heartbeat of that"_s, beat);
}

} // namespace

int main(int argc, char** argv)
{
    QApplication application(argc, argv);
    QApplication::setStyle(QStyleFactory::create(u"Fusion"_s));
    QCommandLineParser parser;
    const QCommandLineOption size(u"size"_s, u"Size of the window."_s, u"WxH"_s, u"1600x1000"_s);
    parser.addOption(size);
    parser.addHelpOption();
    parser.process(application);
    const QStringList arguments = parser.positionalArguments();
    const QStringList pixels = parser.value(size).split(u'x');
    if ((!arguments.isEmpty() && arguments.size() != 3) || pixels.size() != 2) {
        std::fprintf(stderr, "usage: qs_window_latency [MODEL CALIB EVAL] [--size WxH]\n");
        return 2;
    }
    useEmptySettings(u"WindowLatency"_s);
    Settings().setTourSeen();
    MainWindow window;
    window.resize(pixels[0].toInt(), pixels[1].toInt());
    window.show();
    if (!QTest::qWaitForWindowExposed(&window)) {
        return 1;
    }
    Heartbeat beat;
    if (arguments.isEmpty()) {
        window.openDemo();
    } else {
        window.open(arguments[0], arguments[1], arguments[2]);
    }
    const auto calibrated = [&] { return window.session()->calibration() != nullptr; };
    if (!waitFor(calibrated) || !waitFor([&] { return settled(window); })) {
        std::fprintf(stderr, "the model was not calibrated in time\n");
        return 1;
    }
    printBeat(u"opening and calibrating"_s, beat);
    PresetOptions options;
    options.weightBits = 4;
    options.activationBits = 4;
    window.session()->replacePlan(makePreset(window.session()->model()->sites, options), u"W4A4"_s);
    for (const char* job : {"&Calibrate", "&Evaluate", "&Sensitivity"}) {
        waitFor([&] { return settled(window); });
        beat.restart();
        actionOf(window, QLatin1String(job))->trigger();
        QElapsedTimer clock;
        clock.start();
        constexpr int kLongEnoughMs = 5000;
        waitFor([&] { return settled(window) || clock.elapsed() > kLongEnoughMs; });
        printBeat(u"Run > "_s + QLatin1String(job).mid(1), beat);
        window.jobs()->cancelAll();
    }
    waitFor([&] { return settled(window); });
    measureDrags(window);
    beat.restart();
    actionOf(window, u"&Evaluate"_s)->trigger();
    QTest::qWait(500);
    std::printf("while the plan is evaluated:\n");
    measureDrags(window);
    printBeat(u"heartbeat of these drags"_s, beat);
    window.jobs()->cancelAll();
    waitFor([&] { return settled(window); });
    measureSession(window, beat);
    return g_kept ? 0 : 1;
}
