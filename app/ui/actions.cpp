#include "app/ui/actions.h"

#include <QAction>
#include <QActionGroup>
#include <QKeySequence>
#include <QMainWindow>
#include <QMenu>
#include <QMenuBar>
#include <QUndoStack>

namespace qs {

Actions::Actions(QMainWindow* window, QUndoStack* undoStack)
    : QObject(window)
    , m_window(window)
{
    QMenu* file = window->menuBar()->addMenu(tr("&File"));
    openModelFolder = add(file, tr("Open &Model Folder…"),
        tr("Open a folder with config.json and model.safetensors"), QKeySequence::Open);
    openModelFile = add(file, tr("Open Model &File…"), tr("Open an .onnx model or an exported .h5 model"),
        QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O));
    openDemo = add(file, tr("Open the &Demo"), tr("Open the bundled model and its images"));
    recentMenu = file->addMenu(tr("Open Rece&nt"));
    file->addSeparator();
    openCalibrationData = add(file, tr("Open &Calibration Data…"),
        tr("Open images, recordings, texts or arrays and calibrate on them"),
        QKeySequence(Qt::CTRL | Qt::Key_D));
    openEvaluationData = add(file, tr("Open &Evaluation Data…"),
        tr("Open the labelled data, or texts, that metrics are computed on"),
        QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_D));
    file->addSeparator();
    openSession = add(file, tr("Open Sessi&on…"), tr("Go on where a saved session ended"));
    saveSession = add(file, tr("&Save Session…"),
        tr("Save plan, statistics, kept plans and results; model and data by path and hash"),
        QKeySequence::Save);
    file->addSeparator();
    openRecipe = add(file, tr("Open &Recipe…"), tr("Replace the plan by the one of a recipe"));
    saveRecipe = add(file, tr("Sa&ve Recipe…"), tr("Save the plan so that the command line can reproduce it"),
        QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_S));
    saveCalibration = add(file, tr("S&ave Calibration…"), tr("Save the statistics for the command line"));
    exportModel = add(file, tr("E&xport Model…"), tr("Write the quantized model for a runtime and verify it"),
        QKeySequence(Qt::CTRL | Qt::Key_E));
    report = add(file, tr("Repor&t…"), tr("Write model, plan, results and charts as one HTML or PDF file"),
        QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_E));
    file->addSeparator();
    pictureMenu = file->addMenu(tr("Save &Picture of"));
    printMenu = file->addMenu(tr("Pr&int"));
    printMenu->setObjectName(QStringLiteral("print"));
    file->addSeparator();
    quit = add(file, tr("&Quit"), tr("Close the window"), QKeySequence::Quit);

    QMenu* edit = window->menuBar()->addMenu(tr("&Edit"));
    undo = undoStack->createUndoAction(window, tr("&Undo"));
    undo->setShortcut(QKeySequence::Undo);
    redo = undoStack->createRedoAction(window, tr("&Redo"));
    redo->setShortcuts({QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z), QKeySequence(Qt::CTRL | Qt::Key_Y)});
    edit->addAction(undo);
    edit->addAction(redo);
    edit->addSeparator();
    copyQuantizer = add(edit, tr("&Copy Quantizer"), tr("Copy what the plan holds for the selected site"),
        QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C));
    pasteQuantizer = add(edit, tr("&Paste Quantizer"), tr("Give the copied choice to all selected sites"),
        QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_V));
    edit->addSeparator();
    presetMenu = edit->addMenu(tr("Pr&eset"));
    floatFallback = add(edit, tr("&Leave Sensitive Sites in Float…"),
        tr("Take the most harmful activations out of the plan until a given SQNR of the logits is "
           "predicted"));

    QMenu* run = window->menuBar()->addMenu(tr("&Run"));
    calibrate = add(
        run, tr("&Calibrate"), tr("Collect the statistics of every site again"), QKeySequence(Qt::Key_F5));
    evaluate = add(run, tr("&Evaluate"), tr("Accuracy and error of the plan on the evaluation data"),
        QKeySequence(Qt::CTRL | Qt::Key_R));
    sensitivity
        = add(run, tr("&Sensitivity"), tr("Quantize one site at a time and measure the model's error"),
            QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_R));
    profile = add(run, tr("&Profile"), tr("Measure the time that the forward pass spends on every site"),
        QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_T));
    run->addSeparator();
    cancelJobs = add(run, tr("Cancel &All Jobs"), tr("Stop everything that is running"),
        QKeySequence(Qt::CTRL | Qt::Key_Period));

    viewMenu = window->menuBar()->addMenu(tr("&View"));
    palette = add(viewMenu, tr("&Search Actions and Sites…"), tr("Type the name of an action or a site"),
        QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_P));
    addThemes(viewMenu->addMenu(tr("&Appearance")));
    defaultLayout = add(viewMenu, tr("&Default Layout"), tr("Every view back to where it was at first"));
    viewMenu->addSeparator();
    QMenu* help = window->menuBar()->addMenu(tr("&Help"));
    guide = add(help, tr("&Guide"), tr("How to use the window"), QKeySequence::HelpContents);
    tour = add(help, tr("&Tour of the Window"), tr("A short walk through the parts of the window"));
    help->addSeparator();
    about = add(help, tr("&About Quantoscope"), tr("Version and licence"));
    update(false, false, false, false);
    cancelJobs->setEnabled(false);
}

void Actions::addThemes(QMenu* menu)
{
    themeSystem = add(menu, tr("Follow the &System"), tr("Light or dark as the desktop says"));
    themeLight = add(menu, tr("&Light"), tr("Dark text on a light ground"));
    themeDark = add(menu, tr("&Dark"), tr("Light text on a dark ground"));
    auto* group = new QActionGroup(this);
    for (QAction* action : {themeSystem, themeLight, themeDark}) {
        action->setCheckable(true);
        group->addAction(action);
    }
}

QAction* Actions::add(QMenu* menu, const QString& text, const QString& tip, const QKeySequence& shortcut)
{
    auto* action = new QAction(text, m_window);
    action->setStatusTip(tip);
    action->setToolTip(
        shortcut.isEmpty() ? tip : tr("%1 (%2)").arg(tip, shortcut.toString(QKeySequence::NativeText)));
    action->setShortcut(shortcut);
    menu->addAction(action);
    return action;
}

void Actions::update(bool hasModel, bool hasCalibrationData, bool isCalibrated, bool hasSensitivity)
{
    openCalibrationData->setEnabled(hasModel);
    openEvaluationData->setEnabled(hasModel);
    saveSession->setEnabled(hasModel);
    report->setEnabled(hasModel);
    openRecipe->setEnabled(hasModel);
    saveRecipe->setEnabled(isCalibrated);
    saveCalibration->setEnabled(isCalibrated);
    exportModel->setEnabled(isCalibrated);
    presetMenu->setEnabled(hasModel);
    copyQuantizer->setEnabled(hasModel);
    pasteQuantizer->setEnabled(hasModel);
    calibrate->setEnabled(hasCalibrationData);
    evaluate->setEnabled(isCalibrated);
    sensitivity->setEnabled(isCalibrated);
    profile->setEnabled(hasModel);
    floatFallback->setEnabled(hasSensitivity);
}

} // namespace qs
