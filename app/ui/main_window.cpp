#include "app/ui/main_window.h"

#include "app/ui/actions.h"
#include "app/ui/budget_controller.h"
#include "app/ui/calibration_controller.h"
#include "app/ui/compare_controller.h"
#include "app/ui/edit_controller.h"
#include "app/ui/edit_menu.h"
#include "app/ui/file_controller.h"
#include "app/ui/habits.h"
#include "app/ui/job_controller.h"
#include "app/ui/method_controller.h"
#include "app/ui/notices.h"
#include "app/ui/picture_menu.h"
#include "app/ui/reparameterization_controller.h"
#include "app/ui/row_controller.h"
#include "app/ui/selection.h"
#include "app/ui/sensitivity_controller.h"
#include "app/ui/session_file_controller.h"
#include "app/ui/site_controller.h"
#include "app/ui/views.h"
#include "app/ui/workbench.h"
#include "widgets/views/compare_view.h"
#include "widgets/views/distribution_view.h"
#include "widgets/views/site_tree_view.h"

#include <QAction>
#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QLabel>
#include <QLocale>
#include <QMimeData>
#include <QScreen>
#include <QStatusBar>
#include <QStyle>

namespace qs {

namespace {

const QString kTreeState = QStringLiteral("tree");
const QString kDistributionState = QStringLiteral("distribution");

/// "Calibration: a.wav, b.wav, …" as a line of a tooltip; nothing without data.
QString sampleNames(const QString& title, const DataSource* data)
{
    if (data == nullptr) {
        return {};
    }
    constexpr std::int64_t kShown = 5;
    QStringList names;
    for (std::int64_t i = 0; i < std::min(kShown, data->size()); ++i) {
        names << QString::fromStdString(data->sampleName(i));
    }
    if (data->size() > kShown) {
        names << QStringLiteral("…");
    }
    return title + QStringLiteral(": ") + names.join(QStringLiteral(", ")) + QLatin1Char('\n');
}

} // namespace

MainWindow::MainWindow(QWidget* parent)
    : QMainWindow(parent)
    , m_tasks(&m_session, &m_runner)
    , m_live(&m_runner)
    , m_actions(new Actions(this, m_session.undoStack()))
    , m_views(std::make_unique<Views>(this, m_actions->viewMenu))
    , m_selection(new Selection(&m_session, this))
    , m_notices(new Notices(m_views->banner))
    , m_documentLabel(new QLabel)
    , m_controllers(std::make_unique<QObject>())
{
    setAcceptDrops(true);
    statusBar()->addWidget(m_documentLabel, 1);
    makeControllers({this, m_controllers.get(), &m_settings, &m_session, &m_runner, &m_tasks, &m_live,
        new EditController(&m_session, this), m_actions, m_views.get(), m_selection, m_notices});
    connect(&m_session, &Session::documentChanged, this, &MainWindow::showDocument);
    connect(&m_session, &Session::dataChanged, this, &MainWindow::showDocument);
    connect(&m_session, &Session::formChanged, this, &MainWindow::showDocument);
    connect(&m_session, &Session::calibrationChanged, this, &MainWindow::updateActions);
    connect(&m_session, &Session::sensitivityChanged, this, &MainWindow::updateActions);
    connect(m_session.undoStack(), &QUndoStack::cleanChanged, this,
        [this](bool clean) { setWindowModified(!clean); });
    connect(m_actions->defaultLayout, &QAction::triggered, this, [this] { m_views->arrange(); });
    connect(m_actions->quit, &QAction::triggered, this, &QWidget::close);
    restoreGeometry(m_settings.windowGeometry());
    restoreState(m_settings.windowState(), Settings::kLayoutVersion);
    m_views->tree->restoreState(m_settings.viewState(kTreeState));
    m_views->distribution->restoreState(m_settings.viewState(kDistributionState));
    showDocument();
}

MainWindow::~MainWindow()
{
    m_session.disconnect(this);
    m_session.undoStack()->disconnect(this);
}

/// A new view gets its controller here.
void MainWindow::makeControllers(const Workbench& bench)
{
    m_files = new FileController(bench);
    auto* sessionFiles = new SessionFileController(bench);
    new EditMenu(bench);
    new RowController(bench);
    new SiteController(bench);
    new SensitivityController(bench);
    new BudgetController(bench);
    new CalibrationController(bench);
    new JobController(bench);
    new PictureMenu(bench);
    new MethodController(bench);
    new ReparameterizationController(bench);
    auto* habits = new Habits(bench);
    connect(m_files, &FileController::demoOpened, habits, &Habits::expectDemo);
    m_views->compare->metrics()->setEmptyText(
        tr("No evaluation yet.\n\nRun › Evaluate (%1) measures the plan on the evaluation samples.")
            .arg(m_actions->evaluate->shortcut().toString(QKeySequence::NativeText)));
    auto* compare = new CompareController(&m_session, &m_runner, m_views->compare);
    connect(compare, &CompareController::failed, m_notices, &Notices::fail);
    connect(compare, &CompareController::layerChosen, this, &MainWindow::selectLayer);
    sessionFiles->offerRecovery();
}

void MainWindow::fitToScreen()
{
    const QSize available = screen()->availableSize();
    const int frame = style()->pixelMetric(QStyle::PM_TitleBarHeight); // of a window manager's, about
    if (width() > available.width() || height() + frame > available.height()) {
        resize(size().boundedTo(available));
        m_views->arrange();
        setWindowState(windowState() | Qt::WindowMaximized); // else its frame would reach beyond the screen
    }
}

void MainWindow::open(const QString& model, const QString& calibrationData, const QString& evaluationData)
{
    m_files->open(model, calibrationData, evaluationData);
}

void MainWindow::openDemo()
{
    m_files->openDemo();
}

void MainWindow::openPath(const QString& path)
{
    m_files->openPath(path);
}

void MainWindow::openRecipeWhenReady(const QString& file)
{
    m_files->openRecipeWhenReady(file);
}

void MainWindow::selectSite(const QString& site)
{
    m_selection->select({site});
}

const QStringList& MainWindow::selection() const
{
    return m_selection->sites();
}

void MainWindow::selectLayer(const QString& layer)
{
    for (const Site& site : m_session.model()->sites) {
        if (site.layer == layer.toStdString()) {
            selectSite(QString::fromStdString(site.name));
            return;
        }
    }
}

void MainWindow::showDocument()
{
    updateActions();
    const auto& model = m_session.model();
    if (!model) {
        m_documentLabel->setText(tr("No model"));
        setWindowTitle(tr("Quantoscope"));
        return;
    }
    const QString name = QString::fromStdString(model->name);
    setWindowTitle(tr("%1[*] — Quantoscope").arg(name));
    if (m_session.isReadOnly()) {
        m_documentLabel->setText(tr("%1 · read-only, the model is not at hand").arg(name));
        m_documentLabel->setToolTip({});
        return;
    }
    const auto samples = [this](const std::shared_ptr<const DataSource>& source) {
        return source ? locale().toString(static_cast<qlonglong>(source->size())) : tr("no");
    };
    const auto& form = m_session.form();
    m_documentLabel->setText(
        tr("%1 · %2 M parameters · %3 calibration and %4 evaluation samples")
            .arg(form ? tr("%1, rewritten by %2").arg(name, QString::fromStdString(form->name)) : name)
            .arg(static_cast<double>(model->graph->parameterCount()) / 1e6, 0, 'f', 2)
            .arg(samples(m_session.calibrationData()), samples(m_session.evaluationData())));
    const QString names = sampleNames(tr("Calibration"), m_session.calibrationData().get())
        + sampleNames(tr("Evaluation"), m_session.evaluationData().get());
    m_documentLabel->setToolTip(names.trimmed());
}

void MainWindow::updateActions()
{
    if (m_session.isReadOnly()) {
        m_actions->update(false, false, false, false);
        m_actions->saveSession->setEnabled(true);
        return;
    }
    m_actions->update(m_session.model() != nullptr, m_session.calibrationData() != nullptr,
        m_session.calibration() != nullptr, m_session.sensitivity().value != nullptr);
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    m_runner.cancelAll();
    m_settings.setWindow(saveGeometry(), saveState(Settings::kLayoutVersion));
    m_settings.setViewState(kTreeState, m_views->tree->saveState());
    m_settings.setViewState(kDistributionState, m_views->distribution->saveState());
    event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event)
{
    if (event->mimeData()->hasUrls()) {
        event->acceptProposedAction();
    }
}

void MainWindow::dropEvent(QDropEvent* event)
{
    for (const QUrl& url : event->mimeData()->urls()) {
        if (url.isLocalFile()) {
            openPath(url.toLocalFile());
            return;
        }
    }
}

} // namespace qs
