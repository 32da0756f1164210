#pragma once

#include <QKeySequence>
#include <QObject>

class QAction;
class QMainWindow;
class QMenu;
class QUndoStack;

namespace qs {

/// Every action of the main window in one place: texts, shortcuts, tips, menus. What they do is wired by
/// the controllers.
class Actions : public QObject
{
    Q_OBJECT
public:
    /// Adds the menus to the window's menu bar. The actions belong to `window`.
    Actions(QMainWindow* window, QUndoStack* undoStack);

    QAction* openModelFolder;
    QAction* openModelFile;
    QAction* openDemo;
    QAction* openCalibrationData;
    QAction* openEvaluationData;
    QAction* openSession;
    QAction* saveSession;
    QAction* openRecipe;
    QAction* saveRecipe;
    QAction* saveCalibration;
    QAction* exportModel;
    QAction* report;
    QAction* quit;
    QAction* undo;
    QAction* redo;
    QAction* copyQuantizer;
    QAction* pasteQuantizer;
    QAction* calibrate;
    QAction* evaluate;
    QAction* sensitivity;
    QAction* profile;
    QAction* cancelJobs;
    QAction* palette; ///< the search for actions and sites
    QAction* guide;
    QAction* tour;
    QAction* defaultLayout;
    QAction* themeSystem;
    QAction* themeLight;
    QAction* themeDark;
    QAction* about;
    QMenu* recentMenu;
    QMenu* pictureMenu; ///< of File
    QMenu* printMenu; ///< of File
    QAction* floatFallback;
    QMenu* presetMenu;
    QMenu* viewMenu; ///< the docks come behind its first separator

    /// Enables what makes sense for the state of the document.
    void update(bool hasModel, bool hasCalibrationData, bool isCalibrated, bool hasSensitivity);

private:
    void addThemes(QMenu* menu);
    QAction* add(QMenu* menu, const QString& text, const QString& tip, const QKeySequence& shortcut = {});

    QMainWindow* m_window;
};

} // namespace qs
