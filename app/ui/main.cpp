#include "app/session/logging.h"
#include "app/ui/main_window.h"
#include "core/base/log.h"
#include "core/base/version.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QStyleFactory>

int main(int argc, char** argv)
{
    QApplication application(argc, argv);
    QApplication::setOrganizationName(QStringLiteral("Quantoscope"));
    QApplication::setApplicationName(QStringLiteral("Quantoscope"));
    QApplication::setApplicationVersion(QLatin1String(qs::kVersion));
    QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));

    QCommandLineParser parser;
    parser.setApplicationDescription(
        QCoreApplication::translate("main", "Instrument for post-training quantization of transformers."));
    parser.addHelpOption();
    parser.addVersionOption();
    const QCommandLineOption data(QStringLiteral("data"),
        QCoreApplication::translate("main", "Calibration data: images, .npy, .npz or .h5."),
        QStringLiteral("DIR"));
    const QCommandLineOption evaluation(QStringLiteral("eval-data"),
        QCoreApplication::translate("main", "Labelled data that metrics are computed on."),
        QStringLiteral("DIR"));
    const QCommandLineOption recipe(QStringLiteral("recipe"),
        QCoreApplication::translate("main", "Recipe to start from."), QStringLiteral("FILE"));
    const QCommandLineOption demo(
        QStringLiteral("demo"), QCoreApplication::translate("main", "Open the bundled demo."));
    parser.addOptions({data, evaluation, recipe, demo});
    parser.addPositionalArgument(QStringLiteral("MODEL"),
        QCoreApplication::translate("main", "Model folder, .onnx or .h5 file."), QStringLiteral("[MODEL]"));
    parser.process(application);

    qs::setLogSink([](qs::LogLevel level, std::string_view message) {
        const QString text = QString::fromUtf8(message.data(), static_cast<qsizetype>(message.size()));
        if (level >= qs::LogLevel::Warning) {
            qCWarning(lcUi).noquote() << text;
        } else {
            qCDebug(lcUi).noquote() << text;
        }
    });

    qs::MainWindow window;
    window.fitToScreen();
    window.show();
    if (parser.isSet(recipe)) {
        window.openRecipeWhenReady(parser.value(recipe));
    }
    if (parser.isSet(demo)) {
        window.openDemo();
    } else if (!parser.positionalArguments().isEmpty()) {
        window.open(parser.positionalArguments().front(), parser.value(data), parser.value(evaluation));
    }
    return QApplication::exec();
}
