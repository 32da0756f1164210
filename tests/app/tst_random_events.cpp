// Somebody plays with the whole window on the demo while jobs run. QS_RANDOM_EVENTS sets how many things are
// done (for the long run, 20000 and more), QS_RANDOM_SEED which, QS_RANDOM_VERBOSE lists them.
#include "app/ui/demo.h"
#include "app/ui/main_window.h"
#include "core/quant/resolve.h"
#include "tests/app/fresh_window.h"
#include "tests/app/heartbeat.h"
#include "tests/app/random_user.h"

#include <QApplication>
#include <QDesktopServices>
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <cstdio>

using namespace qs;
using namespace qs::test;
using namespace Qt::StringLiterals;

namespace {

constexpr int kPatienceMs = 600000;
constexpr int kUsualEvents = 2500;
/// The long run is longer than a test may be by default; must be known before the test begins.
const bool kMayTakeLong = qputenv("QTEST_FUNCTION_TIMEOUT", "14400000");
const QStringList kSchemes {u"http"_s, u"https"_s, u"file"_s, u"mailto"_s};

int fromEnvironment(const char* name, int usual)
{
    bool isNumber = false;
    const int value = qEnvironmentVariableIntValue(name, &isNumber);
    return isNumber ? value : usual;
}

/// What is wrong with the plan; empty when nothing is.
QString complaint(const Session& session)
{
    for (const auto& [name, choice] : session.plan().choices) {
        const QString site = QString::fromStdString(name);
        const int index = indexOfSite(session.model()->sites, name);
        if (index < 0) {
            return site + u" is no site"_s;
        }
        if (choice.bits < kMinBits || choice.bits > kMaxBits) {
            return u"%1 has %2 bits"_s.arg(site).arg(choice.bits);
        }
        if (choice.method == BoundMethod::Manual && choice.manualBounds.empty()) {
            return site + u" has no bounds"_s;
        }
        for (const Bounds& bounds : choice.manualBounds) {
            if (!std::isfinite(bounds.lower) || !std::isfinite(bounds.upper) || bounds.lower > bounds.upper) {
                return u"%1 is bounded by %2 and %3"_s.arg(site).arg(bounds.lower).arg(bounds.upper);
            }
        }
    }
    return {};
}

/// Opens web pages nowhere.
class NoBrowser : public QObject
{
    Q_OBJECT
public slots:
    void open(const QUrl&) { }
};

} // namespace

class TestRandomEvents : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        useEmptySettings(u"RandomEvents"_s);
        QGuiApplication::setQuitOnLastWindowClosed(false);
        for (const auto& scheme : kSchemes) {
            QDesktopServices::setUrlHandler(scheme, &m_noBrowser, "open");
        }
        QVERIFY(kMayTakeLong);
        QVERIFY(m_scratch.isValid());
        QVERIFY(QDir::setCurrent(m_scratch.path())); // names typed into dialogs are made here
        m_window = std::make_unique<MainWindow>();
        m_window->show();
        QVERIFY(QTest::qWaitForWindowExposed(m_window.get()));
        m_window->openDemo();
        QTRY_VERIFY_WITH_TIMEOUT(session().calibration() != nullptr, kPatienceMs);
    }
    void cleanupTestCase()
    {
        m_window.reset();
        QDir::setCurrent(QDir::tempPath());
        for (const auto& scheme : kSchemes) {
            QDesktopServices::unsetUrlHandler(scheme);
        }
    }

    void nothingBreaks()
    {
        const int events = fromEnvironment("QS_RANDOM_EVENTS", kUsualEvents);
        const auto seed = static_cast<unsigned>(fromEnvironment("QS_RANDOM_SEED", 1));
        Heartbeat beat;
        RandomUser user(m_window.get(), seed, m_scratch.path(), drops(), &beat);
        constexpr int kRound = 500;
        beat.restart();
        for (int left = events; left > 0; left -= kRound) {
            user.run(std::min(left, kRound));
            QCOMPARE(complaint(session()), QString());
            if (session().isReadOnly() || (!session().calibration() && m_window->jobs()->isIdle())) {
                m_window->openDemo(); // something was dropped that leaves little to play with
            }
        }
        report(events, seed, beat, user);
    }
    void theHistoryIsWhole()
    {
        m_window->jobs()->cancelAll();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs()->isIdle(), kPatienceMs);
        QUndoStack* stack = session().undoStack();
        stack->setIndex(stack->count());
        const Plan last = session().plan();
        stack->setIndex(0);
        QCOMPARE(complaint(session()), QString());
        stack->setIndex(stack->count());
        QCOMPARE(session().plan(), last);
    }
    void thePlanStillMeansSomething()
    {
        if (!session().calibration() || session().isReadOnly()) {
            QSKIP("the last document was not calibrated, or without its model");
        }
        const ResolvedPlan resolved
            = resolvePlan(*session().model(), session().plan(), *session().calibration());
        for (const auto& [name, params] : resolved) {
            for (const float scale : params.scales) {
                QVERIFY2(std::isfinite(scale) && scale > 0.0F, name.c_str());
            }
        }
    }

private:
    [[nodiscard]] Session& session() const { return *m_window->session(); }

    /// Whatever may be dropped on the window, good and bad.
    QStringList drops()
    {
        const QDir folder(m_scratch.path());
        const auto file = [&folder](const QString& name, const QByteArray& content) {
            QFile out(folder.filePath(name));
            if (out.open(QIODevice::WriteOnly)) {
                out.write(content);
            }
            return out.fileName();
        };
        SessionFile saved = session().toFile({});
        const QString whole = folder.filePath(u"whole.qscope"_s);
        saveSession(saved, whole.toStdString());
        saved.modelPath = "/absent/model";
        const QString withoutModel = folder.filePath(u"without.qscope"_s);
        saveSession(saved, withoutModel.toStdString());
        return {whole, withoutModel, demoFolder(), demoFolder() + u"/calib"_s, demoFolder() + u"/eval"_s,
            file(u"broken.json"_s, "{\"format\": "), file(u"other.json"_s, "{}"),
            file(u"broken.qscope"_s, "\x89HDF\r\n\x1a\nnothing behind"),
            file(u"broken.onnx"_s, "\x08\x07\x12\x03"), file(u"notes.txt"_s, "no tensor"),
            folder.filePath(u"absent"_s)};
    }

    static void report(int events, unsigned seed, Heartbeat& beat, const RandomUser& user)
    {
        const HeartbeatFigures figures = beat.figures();
        std::printf("%d events, seed %u: user-interface thread over %zu beats: median %.2f ms, p99 %.2f ms, "
                    "longest %.1f ms; most processor time between two answers %.1f ms\n",
            events, seed, figures.beats, figures.median, figures.p99, figures.longest, figures.busiest);
        for (const auto& [milliseconds, recent] : user.slowest()) {
            std::printf("  %7.1f ms of processor time: %s\n", milliseconds, qPrintable(recent));
        }
        for (const auto& [what, count] : user.counts()) {
            std::printf(" %s %d,", what.c_str(), count);
        }
        std::printf("\n");
    }

    QTemporaryDir m_scratch;
    NoBrowser m_noBrowser;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestRandomEvents)
#include "tst_random_events.moc"
