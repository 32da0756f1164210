#include "app/ui/file_controller.h"

#include "app/jobs/job_runner.h"
#include "app/jobs/session_tasks.h"
#include "app/session/session.h"
#include "app/ui/actions.h"
#include "app/ui/data_dialog.h"
#include "app/ui/demo.h"
#include "app/ui/export_dialog.h"
#include "app/ui/notices.h"
#include "app/ui/selection.h"
#include "app/ui/settings.h"
#include "app/ui/views.h"
#include "core/base/error.h"
#include "core/base/version.h"
#include "core/eval/plan_resolver.h"
#include "widgets/common/number_format.h"
#include "widgets/views/distribution_view.h"

#include <QAction>
#include <QBuffer>
#include <QFileDialog>
#include <QFileInfo>
#include <QMainWindow>
#include <QMenu>
#include <QPixmap>

namespace qs {

namespace {

const QString kPrepareKey = QStringLiteral("prepare-export");

bool isSession(const QString& path)
{
    return path.endsWith(QLatin1String(".qscope"), Qt::CaseInsensitive);
}

} // namespace

FileController::FileController(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
{
    wireOpening();
    wireSaving();
    connect(m_bench.session, &Session::documentChanged, this, &FileController::rememberModel);
    connect(m_bench.session, &Session::calibrationChanged, this, [this] {
        if (m_bench.session->calibration() && !m_pendingRecipe.isEmpty()) {
            m_bench.tasks->openRecipe(std::exchange(m_pendingRecipe, {}));
        }
    });
    fillRecent();
}

void FileController::wireOpening()
{
    const Actions& actions = *m_bench.actions;
    const auto onFolder = [this](QAction* action, const QString& title, auto&& then) {
        connect(action, &QAction::triggered, this, [this, title, then] {
            const QString folder = QFileDialog::getExistingDirectory(m_bench.window, title);
            if (!folder.isEmpty()) {
                then(folder);
            }
        });
    };
    const auto onFile = [this](QAction* action, const QString& title, const QString& filter, auto&& then) {
        connect(action, &QAction::triggered, this, [this, title, filter, then] {
            const QString file = QFileDialog::getOpenFileName(m_bench.window, title, {}, filter);
            if (!file.isEmpty()) {
                then(file);
            }
        });
    };
    onFolder(actions.openModelFolder, tr("Open Model Folder"), [this](const QString& path) { open(path); });
    onFile(actions.openModelFile, tr("Open Model File"), tr("Models (*.onnx *.h5)"),
        [this](const QString& path) { open(path); });
    connect(actions.openDemo, &QAction::triggered, this, &FileController::openDemo);
    connect(actions.openCalibrationData, &QAction::triggered, this, [this] {
        askForData(tr("Open Calibration Data"), m_bench.session->calibrationOptions(),
            &SessionTasks::openCalibrationData);
    });
    connect(actions.openEvaluationData, &QAction::triggered, this, [this] {
        askForData(tr("Open Evaluation Data"), m_bench.session->evaluationOptions(),
            &SessionTasks::openEvaluationData);
    });
    onFile(actions.openRecipe, tr("Open Recipe"), tr("Recipes (*.json)"),
        [this](const QString& path) { m_bench.tasks->openRecipe(path); });
}

void FileController::wireSaving()
{
    const auto onFile = [this](QAction* action, const QString& title, const QString& filter, auto&& then) {
        connect(action, &QAction::triggered, this, [this, title, filter, then] {
            const QString file = QFileDialog::getSaveFileName(m_bench.window, title, {}, filter);
            if (!file.isEmpty()) {
                then(file);
            }
        });
    };
    const Actions& actions = *m_bench.actions;
    onFile(actions.saveRecipe, tr("Save Recipe"), tr("Recipes (*.json)"),
        [this](const QString& file) { m_bench.tasks->saveRecipe(file); });
    onFile(actions.saveCalibration, tr("Save Calibration"), tr("Calibrations (*.h5)"),
        [this](const QString& file) { m_bench.tasks->saveCalibration(file); });
    connect(actions.exportModel, &QAction::triggered, this, &FileController::exportModel);
    onFile(actions.report, tr("Save Report"), tr("Web pages (*.html);;PDF documents (*.pdf)"),
        [this](const QString& file) { m_bench.tasks->writeReport(file, pictures()); });
    connect(m_bench.tasks, &SessionTasks::sessionOpened, this, &FileController::remember);
    connect(m_bench.tasks, &SessionTasks::saved, this, [this](const QString& file) {
        if (isSession(file)) {
            remember(file);
        }
        m_bench.notices->notice(tr("Saved %1.").arg(QFileInfo(file).fileName()));
    });
    connect(m_bench.tasks, &SessionTasks::exported, this,
        [this](const QString& file, const std::optional<Verification>& verification) {
            const QString name = QFileInfo(file).fileName();
            m_bench.notices->notice(verification
                    ? tr("Exported %1. Read back and run on %2 samples, it agrees with the simulation at %3; "
                         "%4 have the same top-1.")
                          .arg(name)
                          .arg(verification->samples)
                          .arg(formatDecibel(verification->sqnrDb),
                              formatPercent(verification->agreementPercent))
                    : tr("Exported %1.").arg(name));
        });
}

void FileController::askForData(const QString& title, const DataOptions& options,
    void (SessionTasks::*thenOpen)(const QString& path, const DataOptions& options))
{
    try {
        auto* dialog
            = new DataDialog(title, *m_bench.session->openedModel(), m_lastData, options, m_bench.window);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        connect(dialog, &QDialog::accepted, this, [this, dialog, thenOpen] {
            m_lastData = dialog->path();
            (m_bench.tasks->*thenOpen)(m_lastData, dialog->options());
        });
        dialog->open();
    } catch (const Error& error) { // the model's configuration is read again
        m_bench.notices->fail(title, QString::fromStdString(error.what()));
    }
}

void FileController::open(const QString& model, const QString& calibrationData, const QString& evaluationData)
{
    m_bench.notices->clear();
    const QString path = QFileInfo(model).absoluteFilePath();
    if (isSession(path)) {
        m_bench.tasks->openSession(path);
    } else {
        m_bench.tasks->openModel(path, calibrationData, evaluationData);
    }
}

void FileController::openDemo()
{
    const QString folder = demoFolder();
    if (folder.isEmpty()) {
        m_bench.notices->fail(
            tr("Open the demo"), tr("The bundled demo was not installed with this program."));
        return;
    }
    emit demoOpened();
    open(folder, folder + QStringLiteral("/calib"), folder + QStringLiteral("/eval"));
}

void FileController::openPath(const QString& path)
{
    const QFileInfo info(path);
    const QString suffix = info.suffix().toLower();
    const bool isModelFolder = info.isDir() && QFileInfo::exists(path + QStringLiteral("/config.json"));
    if (isSession(path)) {
        m_bench.tasks->openSession(path);
    } else if (suffix == QLatin1String("json")) {
        m_bench.tasks->openRecipe(path);
    } else if (isModelFolder || suffix == QLatin1String("onnx") || !m_bench.session->model()) {
        open(path);
    } else {
        m_bench.tasks->openCalibrationData(path, m_bench.session->calibrationOptions());
    }
}

void FileController::openRecipeWhenReady(const QString& file)
{
    m_pendingRecipe = file;
}

std::vector<ReportPicture> FileController::pictures() const
{
    const Views& views = *m_bench.views;
    std::vector<ReportPicture> found;
    const auto add = [&](const QString& title, QWidget* view) {
        QByteArray bytes;
        QBuffer buffer(&bytes);
        buffer.open(QIODevice::WriteOnly);
        view->grab().save(&buffer, "PNG");
        found.push_back({title.toStdString(), "image/png", bytes.toStdString()});
    };
    if (!m_bench.selection->sites().isEmpty() && m_bench.session->calibration()) {
        add(tr("The window: %1").arg(m_bench.selection->first()), views.distribution);
    }
    return found;
}

void FileController::exportModel()
{
    using R = ExportInput;
    const auto model = m_bench.session->model();
    m_bench.runner->start(
        Lane::Batch, kPrepareKey, tr("Prepare the export"),
        [model, plan = m_bench.session->plan(), calibration = m_bench.session->calibration(),
            form = m_bench.session->form()](const TaskContext& context) -> R {
            return {model, plan, PlanResolver(model, calibration, form).resolve(plan, context),
                calibration->dataHash, kVersion};
        },
        [this, model](Outcome<R> outcome) {
            if (const auto* failure = std::get_if<Failure>(&outcome)) {
                if (!failure->isCancelled()) {
                    m_bench.notices->fail(tr("Export"), QString::fromStdString(failure->message));
                }
            } else if (m_bench.session->model() == model) {
                askForExport(std::get<R>(std::move(outcome)));
            }
        });
}

void FileController::askForExport(ExportInput input)
{
    const auto& data = m_bench.session->calibrationData();
    auto* dialog = new ExportDialog(std::move(input), data ? data->size() : 0, m_bench.window);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(
        dialog, &QDialog::accepted, this, [this, dialog] { m_bench.tasks->exportPlan(dialog->request()); });
    dialog->open();
}

void FileController::rememberModel()
{
    if (m_bench.session->model() && !m_bench.session->isReadOnly()) {
        remember(QString::fromStdString(m_bench.session->model()->path.string()));
    }
}

void FileController::remember(const QString& path)
{
    if (!path.startsWith(Settings::autosaveFolder())) { // a recovered copy is gone when it has been opened
        m_bench.settings->addRecentFile(path);
        fillRecent();
    }
}

void FileController::fillRecent()
{
    QMenu* menu = m_bench.actions->recentMenu;
    menu->clear();
    for (const QString& path : m_bench.settings->recentFiles()) {
        menu->addAction(path, this, [this, path] { open(path); });
    }
    menu->setEnabled(!menu->isEmpty());
}

} // namespace qs
