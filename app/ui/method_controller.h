#pragma once

#include "app/jobs/method_task.h"
#include "app/ui/workbench.h"

#include <QHash>
#include <QObject>
#include <QTimer>

class QAction;

namespace qs {

class ReconstructionView;

/// Puts the quantization methods into the Preset menu, runs the chosen one and shows it at work.
class MethodController : public QObject
{
    Q_OBJECT
public:
    explicit MethodController(const Workbench& bench);

private:
    void ask(const QString& method);
    void update();
    void showProgress();
    void showEnd(const QString& sentence);
    void chooseSection(const QString& section);

    Workbench m_bench;
    MethodTask* m_task;
    ReconstructionView* m_view;
    QList<QAction*> m_actions;
    QTimer m_clock; ///< elapsed time while a method runs
    QHash<QString, MethodRequest> m_last; ///< by method: what was asked for the last time
};

} // namespace qs
