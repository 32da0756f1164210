#pragma once

class QMainWindow;
class QObject;

namespace qs {

class Actions;
class EditController;
class JobRunner;
class LiveError;
class Notices;
class Selection;
class Session;
class SessionTasks;
class Settings;
class Views;

/// What the controllers of a window work with. MainWindow owns all of it and outlives them.
struct Workbench
{
    QMainWindow* window; ///< parent of dialogs
    QObject* controllers; ///< parent of controllers, gone before the document
    Settings* settings;
    Session* session;
    JobRunner* runner;
    SessionTasks* tasks;
    LiveError* live;
    EditController* edit;
    Actions* actions;
    Views* views;
    Selection* selection;
    Notices* notices;
};

} // namespace qs
