#pragma once

#include "app/ui/workbench.h"

#include <QObject>
#include <QTimer>

class QLabel;

namespace qs {

class ProgressBar;

/// Starts jobs from the Run menu and shows how they fare: in the list of jobs and in the status bar.
class JobController : public QObject
{
    Q_OBJECT
public:
    explicit JobController(const Workbench& bench);

private:
    void showJobs();

    const Workbench m_bench;
    QLabel* m_label;
    ProgressBar* m_progress;
    QTimer m_clock; ///< elapsed times while jobs run
};

} // namespace qs
