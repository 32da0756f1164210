#pragma once

#include "app/jobs/job_runner.h"
#include "app/jobs/live_error.h"
#include "app/jobs/session_tasks.h"
#include "app/session/session.h"
#include "app/ui/settings.h"

#include <QMainWindow>
#include <QTimer>

#include <vector>

class QDockWidget;
class QLabel;
class QProgressBar;

namespace qs {

class Actions;
class BitsMatrixView;
class CompareView;
class Appearance;
class Autosave;
class DistributionView;
class EditController;
class ErrorStrip;
class HelpWindow;
class JobPanel;
class MessageBanner;
class QuantizerInspector;
class SensitivityChart;
class SiteTreeView;

/// The window: views in docks, wired to the session, its tasks and the live error. It owns them all.
class MainWindow : public QMainWindow
{
    Q_OBJECT
public:
    explicit MainWindow(QWidget* parent = nullptr);
    ~MainWindow() override;

    /// A model with optional data folders, as the command line gives them.
    void open(const QString& model, const QString& calibrationData = {}, const QString& evaluationData = {});
    void openDemo();
    /// Whatever was dropped or named: a model, a calibration set or a recipe, told apart by its content.
    void openPath(const QString& path);
    /// Applies a recipe as soon as the model is open and calibrated.
    void openRecipeWhenReady(const QString& file);

    [[nodiscard]] Session* session() { return &m_session; }
    [[nodiscard]] JobRunner* jobs() { return &m_runner; }
    [[nodiscard]] LiveError* liveError() { return &m_live; }
    /// Selects one site as a click in the tree does.
    void selectSite(const QString& site);
    [[nodiscard]] const QStringList& selection() const { return m_selection; }

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void buildViews();
    QDockWidget* addDock(const QString& title, const QString& name, QWidget* widget, Qt::DockWidgetArea area);
    void wireSession();
    void wireViews();
    void wireActions();
    void wireHabits(); ///< search, appearance, help
    void fillPresets();
    void fillRecent();

    void showDocument();
    void showCalibration();
    void showRows();
    void showSelection(const QStringList& sites);
    void showLiveError();
    void showSensitivity();
    void showJobs();
    void selectLayer(const QString& layer); ///< its first site
    void requestGhosts(); ///< resolves the overlays the user ticked, on the live lane
    void onChoicesChanged();
    void fail(const QString& what, const QString& sentence);
    void exportModel();
    void updateActions();
    void saveSession();
    void offerRecovery();
    void showReadOnly();
    void leaveSensitiveSitesInFloat();
    void searchActions();
    void startTour();

    Settings m_settings;
    Session m_session;
    JobRunner m_runner;
    SessionTasks m_tasks;
    LiveError m_live;
    EditController* m_edit;
    Actions* m_actions;
    SiteTreeView* m_tree;
    DistributionView* m_distribution;
    ErrorStrip* m_errors;
    QuantizerInspector* m_inspector;
    SensitivityChart* m_sensitivity;
    BitsMatrixView* m_bits;
    CompareView* m_compare;
    JobPanel* m_jobs;
    MessageBanner* m_banner;
    Appearance* m_appearance;
    Autosave* m_autosave;
    HelpWindow* m_help = nullptr; ///< made when first asked for
    bool m_tourPending = false; ///< the demo was opened by somebody who has not seen the tour
    QLabel* m_documentLabel;
    QLabel* m_jobLabel;
    QProgressBar* m_jobProgress;
    QTimer m_jobClock; ///< elapsed times while jobs run
    QTimer m_quiet; ///< runs out when the hand has rested: then the site errors are computed
    QStringList m_selection;
    QString m_pendingRecipe;
    QString m_sessionFile; ///< where the session was saved last; "" before
    QString m_recovered; ///< the file a crash left, until it is opened
    enum class BannerAction { None, Recover, LocateModel } m_bannerAction = BannerAction::None;
};

} // namespace qs
