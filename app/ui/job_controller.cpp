#include "app/ui/job_controller.h"

#include "app/jobs/job_runner.h"
#include "app/jobs/session_tasks.h"
#include "app/ui/actions.h"
#include "app/ui/notices.h"
#include "app/ui/views.h"
#include "widgets/common/number_format.h"
#include "widgets/common/progress_bar.h"
#include "widgets/views/job_panel.h"

#include <QAction>
#include <QLabel>
#include <QMainWindow>
#include <QStatusBar>

namespace qs {

namespace {

constexpr int kClockMs = 250;
constexpr int kBarWidth = 180;

} // namespace

JobController::JobController(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
    , m_label(new QLabel)
    , m_progress(new ProgressBar)
{
    m_progress->setMaximumWidth(kBarWidth);
    m_progress->setTextVisible(false);
    m_progress->setAccessibleName(tr("Progress of the running job"));
    m_bench.window->statusBar()->addPermanentWidget(m_label);
    m_bench.window->statusBar()->addPermanentWidget(m_progress);

    connect(m_bench.runner, &JobRunner::jobsChanged, this, &JobController::showJobs);
    connect(m_bench.runner, &JobRunner::progressChanged, this, &JobController::showJobs);
    m_clock.setInterval(kClockMs);
    connect(&m_clock, &QTimer::timeout, this, &JobController::showJobs);
    connect(m_bench.views->jobs, &JobPanel::cancelRequested, m_bench.runner, &JobRunner::cancel);
    connect(m_bench.tasks, &SessionTasks::failed, m_bench.notices, &Notices::fail);

    const Actions& actions = *m_bench.actions;
    connect(actions.calibrate, &QAction::triggered, m_bench.tasks, &SessionTasks::calibrate);
    connect(actions.evaluate, &QAction::triggered, m_bench.tasks, &SessionTasks::evaluate);
    connect(actions.profile, &QAction::triggered, m_bench.tasks, &SessionTasks::profile);
    connect(actions.cancelJobs, &QAction::triggered, m_bench.runner, &JobRunner::cancelAll);
    showJobs();
}

void JobController::showJobs()
{
    std::vector<JobInfo> infos;
    for (const JobStatus& job : m_bench.runner->jobs()) {
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
    m_bench.views->jobs->setJobs(infos);
    m_bench.actions->cancelJobs->setEnabled(!infos.empty());
    m_progress->setVisible(!infos.empty());
    m_label->setVisible(!infos.empty());
    if (infos.empty()) {
        m_clock.stop();
        return;
    }
    if (!m_clock.isActive()) {
        m_clock.start();
    }
    const JobInfo& first = infos.front();
    m_label->setText(first.remainingSeconds
            ? tr("%1, %2 left").arg(first.title, formatDuration(*first.remainingSeconds))
            : first.title);
    m_progress->setProgress(static_cast<int>(first.done), static_cast<int>(first.total));
}

} // namespace qs
