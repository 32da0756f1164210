#pragma once

#include "app/jobs/job_runner.h"
#include "app/jobs/live_error.h"
#include "app/jobs/session_tasks.h"
#include "app/session/session.h"
#include "app/ui/settings.h"

#include <QMainWindow>

#include <memory>

class QLabel;

namespace qs {

class Actions;
class FileController;
class Notices;
class Selection;
class Views;
struct Workbench;

/// The window: the document and its jobs, the views, and the controllers between them. It owns them all; what
/// the window shows is the controllers' business, one file pair per view or menu.
class MainWindow : public QMainWindow
{
    Q_OBJECT
public:
    explicit MainWindow(QWidget* parent = nullptr);
    ~MainWindow() override;

    /// No larger than the screen; for the start of the program.
    void fitToScreen();
    /// A model with optional data folders, as the command line gives them.
    void open(const QString& model, const QString& calibrationData = {}, const QString& evaluationData = {});
    void openDemo();
    /// Whatever was dropped or named, see FileController::openPath().
    void openPath(const QString& path);
    /// Applies a recipe as soon as the model is open and calibrated.
    void openRecipeWhenReady(const QString& file);

    [[nodiscard]] Session* session() { return &m_session; }
    [[nodiscard]] JobRunner* jobs() { return &m_runner; }
    [[nodiscard]] LiveError* liveError() { return &m_live; }
    /// Selects one site as a click in the tree does.
    void selectSite(const QString& site);
    [[nodiscard]] const QStringList& selection() const;

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void makeControllers(const Workbench& bench);
    void showDocument(); ///< in the title and the status bar
    void updateActions();
    void selectLayer(const QString& layer); ///< its first site

    Settings m_settings;
    Session m_session;
    JobRunner m_runner;
    SessionTasks m_tasks;
    LiveError m_live;
    Actions* m_actions;
    std::unique_ptr<Views> m_views;
    Selection* m_selection;
    Notices* m_notices;
    FileController* m_files = nullptr;
    QLabel* m_documentLabel;
    std::unique_ptr<QObject> m_controllers; ///< parent of all controllers; goes first
};

} // namespace qs
