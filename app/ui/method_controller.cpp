#include "app/ui/method_controller.h"

#include "app/ui/actions.h"
#include "app/ui/method_dialog.h"
#include "app/ui/notices.h"
#include "app/ui/selection.h"
#include "app/ui/settings.h"
#include "app/ui/views.h"
#include "widgets/views/reconstruction_view.h"

#include <QAction>
#include <QDockWidget>
#include <QMainWindow>
#include <QMenu>

#include <algorithm>

namespace qs {

namespace {

constexpr int kClockMs = 200;

} // namespace

MethodController::MethodController(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
    , m_task(new MethodTask(bench.session, bench.runner, Settings::trainingFolder(), this))
    , m_view(bench.views->reconstruction)
{
    QMenu* menu = bench.actions->presetMenu;
    menu->addSeparator();
    for (const Method& method : methods()) {
        const QString name = QString::fromUtf8(method.name.data(), static_cast<int>(method.name.size()));
        QAction* action = menu->addAction(tr("%1…").arg(name), this, [this, name] { ask(name); });
        action->setObjectName(name);
        action->setStatusTip(
            QString::fromUtf8(method.description.data(), static_cast<int>(method.description.size())));
        m_actions.append(action);
    }
    connect(bench.session, &Session::documentChanged, this, &MethodController::update);
    connect(bench.session, &Session::dataChanged, this, &MethodController::update);
    connect(bench.runner, &JobRunner::jobsChanged, this, &MethodController::update);
    connect(m_task, &MethodTask::started, this, [this](const MethodRequest& request) {
        m_view->begin(request.title());
        if (auto* dock = qobject_cast<QDockWidget*>(m_view->parentWidget())) {
            dock->show();
            dock->raise();
        }
        m_clock.start();
    });
    connect(m_task, &MethodTask::lossMeasured, m_view, &ReconstructionView::addPoints);
    connect(m_task, &MethodTask::finished, this, [this](const std::vector<LayerReport>& layers) {
        m_view->setLayers(layers);
        showEnd(tr("done: %1 reparameterized norms, %2 rewritten constants; Undo takes it back")
                    .arg(m_bench.session->form()->rewriting.reparameterizations.size())
                    .arg(m_bench.session->form()->rewriting.constants.size()));
    });
    connect(m_task, &MethodTask::cancelled, this, [this] { showEnd(tr("cancelled")); });
    connect(m_task, &MethodTask::failed, this, [this](const QString& what, const QString& sentence) {
        showEnd(sentence);
        m_bench.notices->fail(what, sentence);
    });
    connect(m_view, &ReconstructionView::cancelRequested, m_task, &MethodTask::cancel);
    connect(m_view, &ReconstructionView::sectionChosen, this, &MethodController::chooseSection);
    m_clock.setInterval(kClockMs);
    connect(&m_clock, &QTimer::timeout, this, &MethodController::showProgress);
    update();
}

void MethodController::update()
{
    const bool isReady = m_bench.session->openedModel() && m_bench.session->calibrationData()
        && !m_bench.session->isReadOnly() && !m_task->isRunning();
    for (QAction* action : m_actions) {
        action->setEnabled(isReady);
    }
}

void MethodController::ask(const QString& method)
{
    MethodRequest request = m_last.value(method);
    request.method = method;
    auto* dialog = new MethodDialog(request, m_bench.session->calibrationData()->size(), m_bench.window);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, dialog, method] {
        m_last[method] = dialog->request();
        if (!m_task->isRunning()) {
            m_task->run(dialog->request());
        }
    });
    dialog->open();
}

void MethodController::showProgress()
{
    const QList<JobStatus> jobs = m_bench.runner->jobs();
    const auto job = std::ranges::find(jobs, MethodTask::jobKey(), &JobStatus::key);
    if (job == jobs.end()) {
        return;
    }
    ReconstructionProgress progress {
        QString::fromStdString(job->progress.stage), job->progress.done, job->progress.total, 0.0, {}};
    progress.elapsedSeconds = static_cast<double>(job->elapsedMs) / 1000.0;
    if (job->remainingMs >= 0) {
        progress.remainingSeconds = static_cast<double>(job->remainingMs) / 1000.0;
    }
    m_view->setProgress(progress);
}

void MethodController::showEnd(const QString& sentence)
{
    m_clock.stop();
    m_view->end(sentence);
}

void MethodController::chooseSection(const QString& section)
{
    if (!m_bench.session->model()) {
        return;
    }
    const std::string name = section.toStdString();
    for (const Site& site : m_bench.session->model()->sites) {
        if (site.block == name || site.layer == name) {
            m_bench.selection->select({QString::fromStdString(site.name)});
            return;
        }
    }
}

} // namespace qs
