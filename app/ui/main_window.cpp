#include "app/ui/main_window.h"

#include "app/jobs/autosave.h"
#include "app/jobs/resolve_ghost.h"
#include "app/ui/actions.h"
#include "app/ui/appearance.h"
#include "app/ui/command_palette.h"
#include "app/ui/compare_controller.h"
#include "app/ui/demo.h"
#include "app/ui/edit_controller.h"
#include "app/ui/export_dialog.h"
#include "app/ui/help_window.h"
#include "app/ui/presets.h"
#include "app/ui/site_rows.h"
#include "app/ui/tour.h"
#include "core/base/version.h"
#include "core/eval/float_fallback.h"
#include "core/stats/weight_statistics.h"
#include "widgets/common/display_names.h"
#include "widgets/common/error_strip.h"
#include "widgets/common/message_banner.h"
#include "widgets/common/number_format.h"
#include "widgets/plot/channel_map.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/plot/plot_menu.h"
#include "widgets/plot/sensitivity_chart.h"
#include "widgets/views/bits_matrix_view.h"
#include "widgets/views/compare_view.h"
#include "widgets/views/distribution_view.h"
#include "widgets/views/job_panel.h"
#include "widgets/views/quantizer_inspector.h"
#include "widgets/views/site_tree_view.h"

#include <QAction>
#include <QApplication>
#include <QCloseEvent>
#include <QDateTime>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QLabel>
#include <QMenu>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QProgressBar>
#include <QStatusBar>
#include <QVBoxLayout>

#include <array>

namespace qs {

namespace {

constexpr int kQuietMs = 250;
constexpr int kJobClockMs = 250;
constexpr int kTourDelayMs = 600; ///< the first picture should stand before it is explained
const QString kGhostsKey = QStringLiteral("ghosts");

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
    , m_edit(new EditController(&m_session, this))
    , m_actions(new Actions(this, m_session.undoStack()))
    , m_tree(new SiteTreeView)
    , m_distribution(new DistributionView)
    , m_errors(new ErrorStrip)
    , m_inspector(new QuantizerInspector)
    , m_sensitivity(new SensitivityChart)
    , m_bits(new BitsMatrixView)
    , m_compare(new CompareView)
    , m_jobs(new JobPanel)
    , m_banner(new MessageBanner)
    , m_appearance(new Appearance(this))
    , m_autosave(new Autosave(&m_session, Settings::autosaveFolder()))
    , m_documentLabel(new QLabel)
    , m_jobLabel(new QLabel)
    , m_jobProgress(new QProgressBar)
{
    setAcceptDrops(true);
    resize(1600, 1000);
    buildViews();
    wireSession();
    wireViews();
    wireActions();
    wireHabits();
    fillPresets();
    fillRecent();
    restoreGeometry(m_settings.windowGeometry());
    restoreState(m_settings.windowState(), Settings::kLayoutVersion);
    showDocument();
    offerRecovery();
}

MainWindow::~MainWindow()
{
    delete m_autosave; // its last file is being written
    m_runner.disconnect(this);
    m_session.disconnect(this);
    m_session.undoStack()->disconnect(this);
}

void MainWindow::buildViews()
{
    auto* centre = new QWidget;
    auto* layout = new QVBoxLayout(centre);
    layout->addWidget(m_banner);
    layout->addWidget(m_distribution, 1);
    layout->addWidget(m_errors);
    setCentralWidget(centre);

    setDockOptions(
        QMainWindow::AnimatedDocks | QMainWindow::AllowNestedDocks | QMainWindow::AllowTabbedDocks);
    setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    auto* tree = addDock(tr("Model"), QStringLiteral("modelDock"), m_tree, Qt::LeftDockWidgetArea);
    auto* inspector
        = addDock(tr("Quantizer"), QStringLiteral("quantizerDock"), m_inspector, Qt::RightDockWidgetArea);
    auto* sensitivity = addDock(
        tr("Sensitivity"), QStringLiteral("sensitivityDock"), m_sensitivity, Qt::BottomDockWidgetArea);
    auto* bits = addDock(tr("Bits"), QStringLiteral("bitsDock"), m_bits, Qt::BottomDockWidgetArea);
    auto* metrics
        = addDock(tr("Compare"), QStringLiteral("metricsDock"), m_compare, Qt::BottomDockWidgetArea);
    auto* jobs = addDock(tr("Jobs"), QStringLiteral("jobsDock"), m_jobs, Qt::BottomDockWidgetArea);
    tabifyDockWidget(sensitivity, bits);
    tabifyDockWidget(bits, metrics);
    tabifyDockWidget(metrics, jobs);
    sensitivity->raise();
    resizeDocks({tree, inspector}, {470, 300}, Qt::Horizontal);
    resizeDocks({sensitivity}, {270}, Qt::Vertical);

    m_jobProgress->setMaximumWidth(180);
    m_jobProgress->setTextVisible(false);
    m_jobProgress->setAccessibleName(tr("Progress of the running job"));
    statusBar()->addWidget(m_documentLabel, 1);
    statusBar()->addPermanentWidget(m_jobLabel);
    statusBar()->addPermanentWidget(m_jobProgress);
}

QDockWidget* MainWindow::addDock(
    const QString& title, const QString& name, QWidget* widget, Qt::DockWidgetArea area)
{
    auto* dock = new QDockWidget(title, this);
    dock->setObjectName(name); // saveState() tells docks apart by it
    dock->setWidget(widget);
    addDockWidget(area, dock);
    m_actions->viewMenu->addAction(dock->toggleViewAction());
    return dock;
}

void MainWindow::wireSession()
{
    connect(&m_session, &Session::documentChanged, this, &MainWindow::showDocument);
    connect(&m_session, &Session::dataChanged, this, &MainWindow::showDocument);
    connect(&m_session, &Session::calibrationChanged, this, &MainWindow::showCalibration);
    connect(&m_session, &Session::choicesChanged, this, &MainWindow::onChoicesChanged);
    connect(&m_session, &Session::siteErrorsChanged, this, &MainWindow::showRows);
    connect(&m_session, &Session::sensitivityChanged, this, &MainWindow::showSensitivity);
    connect(&m_session, &Session::siteTimesChanged, this, &MainWindow::showRows);
    connect(m_session.undoStack(), &QUndoStack::cleanChanged, this,
        [this](bool clean) { setWindowModified(!clean); });
    connect(&m_live, &LiveError::stateChanged, this, &MainWindow::showLiveError);
    connect(&m_runner, &JobRunner::jobsChanged, this, &MainWindow::showJobs);
    connect(&m_runner, &JobRunner::progressChanged, this, &MainWindow::showJobs);
    connect(&m_tasks, &SessionTasks::failed, this, &MainWindow::fail);
    connect(&m_tasks, &SessionTasks::saved, this, [this](const QString& file) {
        m_banner->showMessage(BannerKind::Notice, tr("Saved %1.").arg(QFileInfo(file).fileName()));
    });
    connect(&m_tasks, &SessionTasks::noticed, this, [this](const QString& sentence) {
        m_bannerAction = m_session.isReadOnly() ? BannerAction::LocateModel : BannerAction::None;
        m_banner->showMessage(
            BannerKind::Warning, sentence, m_session.isReadOnly() ? tr("Find the model…") : QString());
    });
    connect(&m_tasks, &SessionTasks::sessionOpened, this, [this](const QString& file, const QString& site) {
        if (file == m_recovered) {
            Autosave::discard(std::exchange(m_recovered, {}));
        } else {
            m_sessionFile = file;
        }
        if (!site.isEmpty()) {
            selectSite(site);
        }
    });
    connect(m_banner, &MessageBanner::actionTriggered, this, [this] {
        m_banner->clear();
        if (m_bannerAction == BannerAction::Recover) {
            m_tasks.openSession(m_recovered);
        } else if (m_bannerAction == BannerAction::LocateModel) {
            const QString folder
                = QFileDialog::getExistingDirectory(this, tr("Find the Model of the Session"));
            if (!folder.isEmpty()) {
                m_tasks.openSession(m_sessionFile, folder);
            }
        }
    });
    connect(m_autosave, &Autosave::failed, this,
        [this](const QString& why) { fail(tr("Keeping a copy of the session"), why); });
    connect(&m_tasks, &SessionTasks::exported, this,
        [this](const QString& file, const std::optional<Verification>& verification) {
            const QString name = QFileInfo(file).fileName();
            m_banner->showMessage(BannerKind::Notice,
                verification
                    ? tr("Exported %1. Read back and run on %2 samples, it agrees with the simulation at %3; "
                         "%4 have the same top-1.")
                          .arg(name)
                          .arg(verification->samples)
                          .arg(formatDecibel(verification->sqnrDb),
                              formatPercent(verification->agreementPercent))
                    : tr("Exported %1.").arg(name));
        });
    m_quiet.setSingleShot(true);
    m_quiet.setInterval(kQuietMs);
    connect(&m_quiet, &QTimer::timeout, &m_tasks, &SessionTasks::computeSiteErrors);
    connect(&m_quiet, &QTimer::timeout, this, &MainWindow::requestGhosts);
    m_jobClock.setInterval(kJobClockMs);
    connect(&m_jobClock, &QTimer::timeout, this, &MainWindow::showJobs);
}

void MainWindow::wireViews()
{
    connect(m_tree, &SiteTreeView::selectionChangedTo, this, &MainWindow::showSelection);
    connect(m_tree, &SiteTreeView::editRequested, m_edit, &EditController::patch);
    const auto applyToRole = [this](const QString& site) { m_edit->applyToRole(site.toStdString()); };
    connect(m_tree, &SiteTreeView::applyToRoleRequested, m_edit, applyToRole);
    connect(m_inspector, &QuantizerInspector::applyToRoleRequested, m_edit, applyToRole);
    connect(m_inspector, &QuantizerInspector::choiceEdited, m_edit,
        [this](const SiteChoicePatch& patch) { m_edit->patch(m_selection, patch); });
    connect(m_distribution, &DistributionView::boundsEdited, m_edit,
        [this](const Bounds& bounds, EditPhase phase) {
            if (!m_selection.isEmpty()) {
                m_tasks.cancelSiteErrors(); // the hand goes first
                m_edit->dragBounds(
                    m_selection.front().toStdString(), m_distribution->editedGroups(), bounds, phase);
            }
        });
    connect(m_distribution, &DistributionView::automaticRequested, m_edit, [this](BoundMethod method) {
        SiteChoicePatch patch;
        patch.method = method;
        m_edit->patch(m_selection.mid(0, 1), patch);
    });
    connect(m_distribution, &DistributionView::ghostsRequested, this, &MainWindow::requestGhosts);
    connect(m_sensitivity, &SensitivityChart::siteClicked, this, &MainWindow::selectSite);
    auto* compare = new CompareController(&m_session, &m_runner, m_compare);
    connect(compare, &CompareController::failed, this, &MainWindow::fail);
    connect(compare, &CompareController::layerChosen, this, &MainWindow::selectLayer);
    connect(m_bits, &BitsMatrixView::editRequested, m_edit, &EditController::patch);
    connect(m_bits, &BitsMatrixView::siteChosen, this, &MainWindow::selectSite);
    connect(m_tree, &SiteTreeView::copyRequested, m_edit,
        [this](const QString& site) { m_edit->copy(site.toStdString()); });
    connect(m_tree, &SiteTreeView::pasteRequested, m_edit, &EditController::paste);
    connect(m_actions->copyQuantizer, &QAction::triggered, m_edit, [this] {
        if (!m_selection.isEmpty()) {
            m_edit->copy(m_selection.front().toStdString());
        }
    });
    connect(m_actions->pasteQuantizer, &QAction::triggered, m_edit, [this] { m_edit->paste(m_selection); });
    connect(m_jobs, &JobPanel::cancelRequested, &m_runner, &JobRunner::cancel);
    connect(m_edit, &EditController::refused, this, [this](const QString& why) { fail(tr("Edit"), why); });
}

void MainWindow::wireActions()
{
    connect(m_actions->openModelFolder, &QAction::triggered, this, [this] {
        const QString folder = QFileDialog::getExistingDirectory(this, tr("Open Model Folder"));
        if (!folder.isEmpty()) {
            open(folder);
        }
    });
    connect(m_actions->openModelFile, &QAction::triggered, this, [this] {
        const QString file
            = QFileDialog::getOpenFileName(this, tr("Open Model File"), {}, tr("Models (*.onnx *.h5)"));
        if (!file.isEmpty()) {
            open(file);
        }
    });
    connect(m_actions->openDemo, &QAction::triggered, this, &MainWindow::openDemo);
    connect(m_actions->openCalibrationData, &QAction::triggered, this, [this] {
        const QString folder = QFileDialog::getExistingDirectory(this, tr("Open Calibration Data"));
        if (!folder.isEmpty()) {
            m_tasks.openCalibrationData(folder);
        }
    });
    connect(m_actions->openEvaluationData, &QAction::triggered, this, [this] {
        const QString folder = QFileDialog::getExistingDirectory(this, tr("Open Evaluation Data"));
        if (!folder.isEmpty()) {
            m_tasks.openEvaluationData(folder);
        }
    });
    connect(m_actions->openRecipe, &QAction::triggered, this, [this] {
        const QString file
            = QFileDialog::getOpenFileName(this, tr("Open Recipe"), {}, tr("Recipes (*.json)"));
        if (!file.isEmpty()) {
            m_tasks.openRecipe(file);
        }
    });
    connect(m_actions->saveRecipe, &QAction::triggered, this, [this] {
        const QString file
            = QFileDialog::getSaveFileName(this, tr("Save Recipe"), {}, tr("Recipes (*.json)"));
        if (!file.isEmpty()) {
            m_tasks.saveRecipe(file);
        }
    });
    connect(m_actions->saveCalibration, &QAction::triggered, this, [this] {
        const QString file
            = QFileDialog::getSaveFileName(this, tr("Save Calibration"), {}, tr("Calibrations (*.h5)"));
        if (!file.isEmpty()) {
            m_tasks.saveCalibration(file);
        }
    });
    connect(m_actions->openSession, &QAction::triggered, this, [this] {
        const QString file
            = QFileDialog::getOpenFileName(this, tr("Open Session"), {}, tr("Sessions (*.qscope)"));
        if (!file.isEmpty()) {
            m_tasks.openSession(file);
        }
    });
    connect(m_actions->saveSession, &QAction::triggered, this, &MainWindow::saveSession);
    connect(m_actions->exportModel, &QAction::triggered, this, &MainWindow::exportModel);
    connect(m_actions->quit, &QAction::triggered, this, &QWidget::close);
    connect(m_actions->calibrate, &QAction::triggered, &m_tasks, &SessionTasks::calibrate);
    connect(m_actions->evaluate, &QAction::triggered, &m_tasks, &SessionTasks::evaluate);
    connect(m_actions->sensitivity, &QAction::triggered, &m_tasks, &SessionTasks::measureSensitivity);
    connect(m_actions->profile, &QAction::triggered, &m_tasks, &SessionTasks::profile);
    connect(m_actions->floatFallback, &QAction::triggered, this, &MainWindow::leaveSensitiveSitesInFloat);
    connect(m_actions->cancelJobs, &QAction::triggered, &m_runner, &JobRunner::cancelAll);
    connect(m_actions->about, &QAction::triggered, this, [this] {
        QMessageBox::about(this, tr("About Quantoscope"),
            tr("<h3>Quantoscope %1</h3><p>An instrument for post-training quantization of transformers.</p>"
               "<p>Free software under the GNU General Public License, version 3 or later.</p>")
                .arg(QLatin1String(kVersion)));
    });
}

void MainWindow::wireHabits()
{
    connect(m_actions->palette, &QAction::triggered, this, &MainWindow::searchActions);
    connect(m_actions->guide, &QAction::triggered, this, [this] {
        if (m_help == nullptr) {
            m_help = new HelpWindow(this);
        }
        m_help->open(QStringLiteral("guide.md"));
    });
    connect(m_actions->tour, &QAction::triggered, this, &MainWindow::startTour);
    const std::array themes {std::pair(m_actions->themeSystem, Theme::System),
        std::pair(m_actions->themeLight, Theme::Light), std::pair(m_actions->themeDark, Theme::Dark)};
    for (const auto& [action, theme] : themes) {
        action->setChecked(m_settings.theme() == theme);
        connect(action, &QAction::triggered, this, [this, theme = theme] {
            m_settings.setTheme(theme);
            m_appearance->setTheme(theme);
        });
    }
    m_appearance->setTheme(m_settings.theme());
    for (const PlotMenu* menu : findChildren<PlotMenu*>()) {
        connect(menu, &PlotMenu::failed, this, [this](const QString& why) { fail(tr("Save picture"), why); });
    }
}

void MainWindow::searchActions()
{
    std::vector<PaletteEntry> entries = CommandPalette::entriesOf(menuBar()->actions());
    if (m_session.model()) {
        for (const Site& site : m_session.model()->sites) {
            const QString name = QString::fromStdString(site.name);
            entries.push_back({name, displayName(site.role), [this, name] { selectSite(name); }});
        }
    }
    auto* palette = new CommandPalette(std::move(entries), this);
    palette->show();
}

void MainWindow::startTour()
{
    m_settings.setTourSeen();
    std::vector<TourStop> stops {
        {m_tree, tr("Sites"),
            tr("Every place where a quantizer can stand, block by block. Select one to look at it, or "
               "several to "
               "edit them together; the filter takes names and roles.")},
        {m_distribution->channelMap(), tr("Channels"),
            tr("Each column is a channel. After a LayerNorm a few are often many times wider than the rest: "
               "they "
               "spoil a common scale. Click a channel, or drag across several.")},
        {m_distribution->distributionPlot(), tr("Drag a bound"),
            tr("Take one of the two black lines and move it inwards. What lies outside is clipped; below you "
               "see "
               "where the squared error comes from. Escape takes the movement back, Ctrl+Z any edit.")},
        {m_errors, tr("Three errors"),
            tr("The tensor's error follows your hand, then that of the layer that reads it, then that of the "
               "whole "
               "model on a few samples.")},
        {m_inspector, tr("Quantizer"),
            tr("Bits, quantizer and granularity of the selected sites. Try one scale per channel and watch "
               "the "
               "errors fall; Apply to role does the same for all sites of this kind.")},
        {m_sensitivity, tr("Sensitivity"),
            tr("Run › Sensitivity quantizes one site at a time and shows which ones hurt. Click a bar to go "
               "there.")},
    };
    new Tour(std::move(stops), this);
}

void MainWindow::fillPresets()
{
    for (const NamedPreset& preset : presets()) {
        QAction* action = m_actions->presetMenu->addAction(preset.name);
        action->setStatusTip(preset.tip);
        connect(action, &QAction::triggered, this,
            [this, preset] { m_edit->applyPreset(preset.options, preset.name); });
    }
}

void MainWindow::fillRecent()
{
    m_actions->recentMenu->clear();
    for (const QString& path : m_settings.recentModels()) {
        m_actions->recentMenu->addAction(path, this, [this, path] { open(path); });
    }
    m_actions->recentMenu->setEnabled(!m_actions->recentMenu->isEmpty());
}

void MainWindow::open(const QString& model, const QString& calibrationData, const QString& evaluationData)
{
    m_banner->clear();
    m_tasks.openModel(QFileInfo(model).absoluteFilePath(), calibrationData, evaluationData);
}

void MainWindow::openDemo()
{
    const QString folder = demoFolder();
    if (folder.isEmpty()) {
        fail(tr("Open the demo"), tr("The bundled demo was not installed with this program."));
        return;
    }
    m_tourPending = !m_settings.isTourSeen();
    open(folder, folder + QStringLiteral("/calib"), folder + QStringLiteral("/eval"));
}

void MainWindow::openPath(const QString& path)
{
    const QFileInfo info(path);
    const QString suffix = info.suffix().toLower();
    const bool isModelFolder = info.isDir() && QFileInfo::exists(path + QStringLiteral("/config.json"));
    if (suffix == QLatin1String("qscope")) {
        m_tasks.openSession(path);
    } else if (suffix == QLatin1String("json")) {
        m_tasks.openRecipe(path);
    } else if (isModelFolder || suffix == QLatin1String("onnx") || !m_session.model()) {
        open(path);
    } else {
        m_tasks.openCalibrationData(path);
    }
}

void MainWindow::openRecipeWhenReady(const QString& file)
{
    m_pendingRecipe = file;
}

void MainWindow::selectSite(const QString& site)
{
    m_tree->setSelectedSites({site});
    showSelection({site});
}

void MainWindow::showDocument()
{
    const auto& model = m_session.model();
    updateActions();
    if (!model) {
        m_distribution->setEmptyText(tr("Drop a model folder here, or open the demo from the File menu."));
        m_documentLabel->setText(tr("No model"));
        setWindowTitle(tr("Quantoscope"));
        showRows();
        return;
    }
    setWindowTitle(tr("%1[*] — Quantoscope").arg(QString::fromStdString(model->name)));
    showReadOnly();
    if (m_session.isReadOnly()) {
        m_documentLabel->setText(
            tr("%1 · read-only, the model is not at hand").arg(QString::fromStdString(model->name)));
        showRows();
        return;
    }
    const auto samples = [this](const std::shared_ptr<const DataSource>& source) {
        return source ? locale().toString(static_cast<qlonglong>(source->size())) : tr("no");
    };
    m_documentLabel->setText(
        tr("%1 · %2 M parameters · %3 calibration and %4 evaluation samples")
            .arg(QString::fromStdString(model->name))
            .arg(static_cast<double>(model->graph->parameterCount()) / 1e6, 0, 'f', 2)
            .arg(samples(m_session.calibrationData()), samples(m_session.evaluationData())));
    const QString names = sampleNames(tr("Calibration"), m_session.calibrationData().get())
        + sampleNames(tr("Evaluation"), m_session.evaluationData().get());
    m_documentLabel->setToolTip(names.trimmed());
    m_settings.addRecentModel(QString::fromStdString(model->path.string()));
    fillRecent();
    showRows();
}

void MainWindow::showCalibration()
{
    const auto& calibration = m_session.calibration();
    m_live.setDocument(calibration ? m_session.model() : nullptr, calibration,
        m_session.isReadOnly() ? nullptr : m_session.calibrationData());
    showDocument();
    m_distribution->setEmptyText(calibration ? tr("Select a site in the model tree.")
                                             : tr("Open calibration data to see distributions."));
    if (calibration) {
        m_quiet.start();
        if (!m_pendingRecipe.isEmpty()) {
            m_tasks.openRecipe(std::exchange(m_pendingRecipe, {}));
        }
        if (std::exchange(m_tourPending, false)) {
            QTimer::singleShot(kTourDelayMs, this, &MainWindow::startTour);
        }
        const bool known = !m_selection.isEmpty()
            && indexOfSite(m_session.model()->sites, m_selection.front().toStdString()) >= 0;
        if (!known) { // something worth looking at, rather than an empty plot
            for (const Site& site : m_session.model()->sites) {
                if (site.role == Role::PostNormQkv && site.kind == SiteKind::Activation) {
                    selectSite(QString::fromStdString(site.name));
                    return;
                }
            }
        }
    }
    showSelection(m_selection);
}

void MainWindow::showRows()
{
    const std::vector<SiteRow> rows = siteRows(m_session);
    m_bits->setRows(rows);
    m_tree->setRows(rows);
}

void MainWindow::showSelection(const QStringList& sites)
{
    m_selection = sites;
    m_autosave->setSelectedSite(sites.value(0));
    std::vector<SiteRow> rows;
    for (const QString& name : sites) {
        const int index = m_session.model() ? indexOfSite(m_session.model()->sites, name.toStdString()) : -1;
        if (index >= 0) {
            rows.push_back(siteRow(m_session, m_session.model()->sites[static_cast<std::size_t>(index)]));
        }
    }
    m_inspector->setSites(rows);
    m_sensitivity->setHighlighted(sites.size() == 1 ? sites.front() : QString());
    if (sites.size() == 1) {
        m_bits->setCurrentSite(sites.front());
    }
    if (rows.empty()) {
        m_distribution->setSite(std::nullopt);
        m_live.request(-1, m_session.plan());
        return;
    }
    const int index = indexOfSite(m_session.model()->sites, sites.front().toStdString());
    const Site& site = m_session.model()->sites[static_cast<std::size_t>(index)];
    m_distribution->setSite(rows.front());
    if (site.kind == SiteKind::Weight && m_session.isReadOnly()) {
        m_distribution->setStatistics(nullptr);
        m_live.request(-1, m_session.plan());
        return;
    }
    if (site.kind == SiteKind::Weight) {
        m_distribution->setStatistics(std::make_shared<SiteStatistics>(weightStatistics(
            site.name, m_session.model()->graph->value(site.value).constant, site.weightAxis)));
    } else if (m_session.calibration()) {
        m_distribution->setStatistics(m_session.calibration()->find(site.name));
    }
    m_live.request(index, m_session.plan());
    requestGhosts();
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

void MainWindow::requestGhosts()
{
    if (m_selection.isEmpty()) {
        return;
    }
    const std::vector<GhostChoice> choices = m_distribution->ghostChoices();
    const auto model = m_session.model();
    const auto calibration = m_session.calibration();
    const QString name = m_selection.front();
    if (choices.empty() || !model || !calibration) {
        m_runner.cancel(kGhostsKey);
        m_distribution->setGhosts({});
        return;
    }
    const Site site = model->sites[static_cast<std::size_t>(indexOfSite(model->sites, name.toStdString()))];
    using R = std::vector<GhostQuantizer>;
    m_runner.start(
        Lane::Live, kGhostsKey, QString(),
        [model, calibration, site, choices](const TaskContext& context) {
            R ghosts;
            for (const GhostChoice& choice : choices) {
                ghosts.push_back(resolveGhost(*model, *calibration, site, choice, context));
            }
            return ghosts;
        },
        [this, name](Outcome<R> outcome) {
            if (auto* ghosts = std::get_if<R>(&outcome);
                ghosts != nullptr && !m_selection.isEmpty() && m_selection.front() == name) {
                m_distribution->setGhosts(std::move(*ghosts));
            } else if (const auto* failure = std::get_if<Failure>(&outcome);
                       failure != nullptr && !failure->isCancelled()) {
                fail(tr("Overlay"), QString::fromStdString(failure->message));
            }
        });
}

void MainWindow::onChoicesChanged()
{
    if (!m_selection.isEmpty()) {
        const int index = indexOfSite(m_session.model()->sites, m_selection.front().toStdString());
        m_live.request(index, m_session.plan());
    }
    std::vector<SiteRow> rows;
    for (const QString& name : m_selection) {
        const int index = indexOfSite(m_session.model()->sites, name.toStdString());
        rows.push_back(siteRow(m_session, m_session.model()->sites[static_cast<std::size_t>(index)]));
    }
    if (!rows.empty()) {
        m_distribution->setSite(rows.front());
    }
    m_inspector->setSites(std::move(rows));
    showRows();
    if (m_session.sensitivity().value && m_session.sensitivity().revision != m_session.revision()) {
        m_sensitivity->setStale();
    }
    m_quiet.start();
}

void MainWindow::showLiveError()
{
    const LiveErrorState& state = m_live.state();
    const bool enabled = !state.site.empty() && m_session.choice(state.site).enabled;
    m_distribution->setQuantizer(enabled ? state.params : std::nullopt);
    if (m_inspector->sites().size() == 1) {
        m_inspector->setQuantizer(enabled ? state.params : std::nullopt);
        m_inspector->setTensorError(enabled ? state.tensor : std::nullopt, state.tensorState);
    }
    if (state.site.empty()) {
        m_errors->clear();
        return;
    }
    if (state.tensor) {
        m_errors->setTensorError(QString::fromStdString(state.site), *state.tensor);
    }
    if (state.layer) {
        m_errors->setLayerError(QString::fromStdString(state.layer->layer), state.layer->sqnrDb,
            state.layer->meanSquared, state.layer->samples);
    }
    if (state.model) {
        m_errors->setModelError(*state.model);
    }
    m_errors->setState(ErrorLevel::Tensor, state.tensorState);
    m_errors->setState(ErrorLevel::Layer, state.layerState);
    m_errors->setState(ErrorLevel::Model, state.modelState);
    if (!state.failure.empty()) {
        fail(tr("Live error"), QString::fromStdString(state.failure));
    }
}

void MainWindow::showSensitivity()
{
    const auto& sensitivity = m_session.sensitivity();
    m_sensitivity->setExpectedCount(
        m_session.model() ? static_cast<int>(m_session.model()->sites.size()) : 0);
    m_sensitivity->setResults(sensitivity.value ? *sensitivity.value : std::vector<SiteSensitivity>());
    if (sensitivity.revision == m_session.revision()) {
        m_sensitivity->setFresh();
    } else if (sensitivity.value) {
        m_sensitivity->setStale();
    }
    updateActions();
    showRows();
}

void MainWindow::showJobs()
{
    std::vector<JobInfo> infos;
    for (const JobStatus& job : m_runner.jobs()) {
        JobInfo info;
        info.key = job.key;
        info.title = job.title;
        info.stage = QString::fromStdString(job.progress.stage);
        info.done = job.progress.done;
        info.total = job.progress.total;
        info.elapsedSeconds = static_cast<double>(job.elapsedMs) / 1000.0;
        if (job.remainingMs >= 0) {
            info.remainingSeconds = static_cast<double>(job.remainingMs) / 1000.0;
        }
        infos.push_back(info);
    }
    m_jobs->setJobs(infos);
    updateActions();
    m_jobProgress->setVisible(!infos.empty());
    m_jobLabel->setVisible(!infos.empty());
    if (infos.empty()) {
        m_jobClock.stop();
        return;
    }
    if (!m_jobClock.isActive()) {
        m_jobClock.start();
    }
    const JobInfo& first = infos.front();
    m_jobLabel->setText(first.remainingSeconds
            ? tr("%1, %2 left").arg(first.title, formatDuration(*first.remainingSeconds))
            : first.title);
    m_jobProgress->setRange(0, static_cast<int>(first.total));
    m_jobProgress->setValue(static_cast<int>(first.done));
}

void MainWindow::saveSession()
{
    const QString file
        = QFileDialog::getSaveFileName(this, tr("Save Session"), m_sessionFile, tr("Sessions (*.qscope)"));
    if (!file.isEmpty()) {
        m_sessionFile = QFileInfo(file).suffix().isEmpty() ? file + QStringLiteral(".qscope") : file;
        m_tasks.saveSession(m_sessionFile, m_selection.value(0));
    }
}

void MainWindow::offerRecovery()
{
    const QStringList files = Autosave::leftovers(Settings::autosaveFolder());
    if (files.isEmpty()) {
        return;
    }
    m_recovered = files.front();
    m_bannerAction = BannerAction::Recover;
    m_banner->showMessage(BannerKind::Notice,
        tr("A session of %1 was not saved before the program ended.")
            .arg(locale().toString(QFileInfo(m_recovered).lastModified(), QLocale::ShortFormat)),
        tr("Recover"));
}

void MainWindow::showReadOnly()
{
    const bool editable = !m_session.isReadOnly();
    m_inspector->setEnabled(editable);
    m_bits->setEnabled(editable);
    m_actions->presetMenu->setEnabled(editable && m_session.model());
}

void MainWindow::updateActions()
{
    if (m_session.isReadOnly()) {
        m_actions->update(false, false, false, false, !m_runner.jobs().isEmpty());
        m_actions->saveSession->setEnabled(true);
        return;
    }
    m_actions->update(m_session.model() != nullptr, m_session.calibrationData() != nullptr,
        m_session.calibration() != nullptr, m_session.sensitivity().value != nullptr,
        !m_runner.jobs().isEmpty());
}

void MainWindow::leaveSensitiveSitesInFloat()
{
    constexpr double kUsualDb = 32.0;
    bool accepted = false;
    const double target = QInputDialog::getDouble(this, tr("Leave Sensitive Sites in Float"),
        tr("SQNR of the logits to reach, in dB:"), kUsualDb, 0.0, 80.0, 1, &accepted);
    if (!accepted) {
        return;
    }
    const FloatFallback fallback
        = fallBackToFloat(m_session.model()->sites, m_session.plan(), *m_session.sensitivity().value, target);
    m_session.replacePlan(fallback.plan, tr("leave %1 sites in float").arg(fallback.sites.size()));
    m_banner->showMessage(BannerKind::Notice,
        tr("%1 activations stay in floating point; %2 are predicted. Evaluate to see what is reached.")
            .arg(fallback.sites.size())
            .arg(formatDecibel(fallback.predictedSqnrDb)));
}

void MainWindow::fail(const QString& what, const QString& sentence)
{
    m_banner->showMessage(BannerKind::Failure, tr("%1: %2").arg(what, sentence));
}

void MainWindow::exportModel()
{
    const auto& calibration = m_session.calibration();
    try {
        const ExportInput input {m_session.model(), m_session.plan(),
            resolvePlan(*m_session.model(), m_session.plan(), *calibration), calibration->dataHash, kVersion};
        ExportDialog dialog(
            input, m_session.calibrationData() ? m_session.calibrationData()->size() : 0, this);
        if (dialog.exec() == QDialog::Accepted) {
            m_tasks.exportPlan(dialog.request());
        }
    } catch (const Error& error) {
        fail(tr("Export"), QString::fromStdString(error.what()));
    }
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    m_runner.cancelAll();
    m_settings.setWindow(saveGeometry(), saveState(Settings::kLayoutVersion));
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
