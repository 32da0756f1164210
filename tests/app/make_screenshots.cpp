// Drives the real window as a user would and saves pictures of its screens.
// Usage: qs_screenshots OUTPUT-FOLDER [MODEL CALIBRATION-DATA EVALUATION-DATA] [--size 1600x1000] [--dark]
#include "app/ui/main_window.h"
#include "app/ui/settings.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/views/distribution_view.h"

#include <qcustomplot.h>

#include <QApplication>
#include <QCommandLineParser>
#include <QDir>
#include <QDockWidget>
#include <QElapsedTimer>
#include <QStyleFactory>
#include <QTest>

#include <cstdio>

using namespace qs;

namespace {

template<typename Condition>
bool waitFor(Condition condition, int timeoutMs = 600000)
{
    QElapsedTimer clock;
    clock.start();
    while (!condition()) {
        if (clock.elapsed() > timeoutMs) {
            return false;
        }
        QTest::qWait(20);
    }
    return true;
}

class Photographer
{
public:
    Photographer(MainWindow* window, QString folder)
        : m_window(window)
        , m_folder(std::move(folder))
    {
    }

    void take(const QString& name)
    {
        QTest::qWait(150);
        const QString file = QDir(m_folder).filePath(name + QStringLiteral(".png"));
        m_window->grab().save(file);
        std::printf("%s\n", qPrintable(file));
    }

private:
    MainWindow* m_window;
    QString m_folder;
};

QString siteOf(const Session& session, Role role, SiteKind kind, int which)
{
    for (const Site& site : session.model()->sites) {
        if (site.role == role && site.kind == kind && which-- == 0) {
            return QString::fromStdString(site.name);
        }
    }
    return {};
}

bool settled(MainWindow& window)
{
    return window.jobs()->isIdle() && window.liveError()->state().modelState != ResultState::Computing;
}

void dragUpperBound(MainWindow& window, Photographer& photographer, const QString& name)
{
    auto* view = window.findChild<DistributionView*>();
    DistributionPlot* plot = view->distributionPlot();
    QCustomPlot* canvas = plot->plot();
    const double upper = plot->bounds().upper;
    const auto pixelOf = [&](double value) {
        return QPoint(static_cast<int>(canvas->axisRect()->axis(QCPAxis::atBottom)->coordToPixel(value)),
            canvas->axisRect()->center().y());
    };
    QTest::mousePress(canvas, Qt::LeftButton, {}, pixelOf(upper));
    for (int i = 1; i <= 20; ++i) {
        QTest::mouseMove(canvas, pixelOf(upper * (1.0 - 0.025 * i)));
        QTest::qWait(15);
    }
    photographer.take(name);
    QTest::mouseRelease(canvas, Qt::LeftButton, {}, pixelOf(upper * 0.5));
}

} // namespace

int main(int argc, char** argv)
{
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("QuantoscopeTest"));
    QApplication::setApplicationName(QStringLiteral("Screenshots"));
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
    QCommandLineParser parser;
    const QCommandLineOption size(
        QStringLiteral("size"), QStringLiteral("WxH"), QStringLiteral("WxH"), QStringLiteral("1600x1000"));
    const QCommandLineOption dark(QStringLiteral("dark"));
    parser.addOptions({size, dark});
    parser.process(application);
    const QStringList arguments = parser.positionalArguments();
    if (arguments.size() != 1 && arguments.size() != 4) {
        std::fprintf(stderr, "usage: qs_screenshots FOLDER [MODEL CALIB EVAL] [--size WxH] [--dark]\n");
        return 2;
    }
    QDir().mkpath(arguments.front());
    Settings().setTheme(parser.isSet(dark) ? Theme::Dark : Theme::Light);
    Settings().setTourSeen();

    MainWindow window;
    const QStringList pixels = parser.value(size).split(QLatin1Char('x'));
    window.resize(pixels.at(0).toInt(), pixels.at(1).toInt());
    window.show();
    Photographer photographer(&window, arguments.front());
    photographer.take(QStringLiteral("0-empty"));
    if (arguments.size() == 4) {
        window.open(arguments[1], arguments[2], arguments[3]);
    } else {
        window.openDemo();
    }
    Session& session = *window.session();
    if (!waitFor([&] { return session.calibration() != nullptr; })
        || !waitFor([&] { return settled(window); })) {
        std::fprintf(stderr, "the model was not calibrated in time\n");
        return 1;
    }
    PresetOptions options;
    options.weightBits = 4;
    options.activationBits = 4;
    options.softmaxKind = QuantizerKind::LogSqrt2;
    session.replacePlan(makePreset(session.model()->sites, options), QStringLiteral("W4A4"));

    window.selectSite(siteOf(session, Role::PostNormQkv, SiteKind::Activation, 1));
    waitFor([&] { return settled(window); });
    photographer.take(QStringLiteral("1-channel-map"));
    window.selectSite(siteOf(session, Role::PostGeluFc2, SiteKind::Activation, 2));
    waitFor([&] { return settled(window); });
    dragUpperBound(window, photographer, QStringLiteral("2-dragging"));
    waitFor([&] { return settled(window); });
    photographer.take(QStringLiteral("3-dragged"));
    window.selectSite(siteOf(session, Role::Softmax, SiteKind::Activation, 1));
    waitFor([&] { return settled(window); });
    photographer.take(QStringLiteral("4-softmax"));
    window.selectSite(siteOf(session, Role::PostNormFc1, SiteKind::Weight, 0));
    waitFor([&] { return settled(window); });
    photographer.take(QStringLiteral("5-weight"));

    for (QAction* action : window.findChildren<QAction*>()) {
        if (action->text() == QStringLiteral("&Sensitivity") && action->isEnabled()
            && !action->isCheckable()) {
            action->trigger();
        }
    }
    QTest::qWait(1500);
    photographer.take(QStringLiteral("6-sensitivity-running"));
    waitFor([&] { return settled(window); });
    photographer.take(QStringLiteral("7-sensitivity"));
    for (QAction* action : window.findChildren<QAction*>()) {
        if (action->text() == QStringLiteral("&Evaluate")) {
            action->trigger();
        }
    }
    waitFor([&] { return settled(window); });
    if (auto* dock = window.findChild<QDockWidget*>(QStringLiteral("metricsDock"))) {
        dock->raise();
    }
    photographer.take(QStringLiteral("8-compare"));
    return 0;
}
