#include "app/ui/sensitivity_controller.h"

#include "app/jobs/session_tasks.h"
#include "app/session/session.h"
#include "app/ui/actions.h"
#include "app/ui/notices.h"
#include "app/ui/selection.h"
#include "app/ui/views.h"
#include "core/eval/float_fallback.h"
#include "widgets/common/number_format.h"
#include "widgets/plot/sensitivity_chart.h"
#include "widgets/plot/sensitivity_menu.h"

#include <QAction>
#include <QInputDialog>
#include <QMainWindow>

namespace qs {

SensitivityController::SensitivityController(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
{
    SensitivityChart* chart = m_bench.views->sensitivity;
    connect(m_bench.session, &Session::sensitivityChanged, this, &SensitivityController::showResults);
    connect(m_bench.session, &Session::choicesChanged, this, &SensitivityController::showStale);
    connect(chart, &SensitivityChart::siteClicked, m_bench.selection,
        [selection = m_bench.selection](const QString& site) { selection->select({site}); });
    connect(m_bench.selection, &Selection::changed, chart, [chart, selection = m_bench.selection] {
        chart->setHighlighted(selection->sites().size() == 1 ? selection->first() : QString());
    });
    const auto measure = [chart, tasks = m_bench.tasks] {
        tasks->measureSensitivity(chart->menu()->widths(), chart->menu()->causes());
    };
    connect(m_bench.actions->sensitivity, &QAction::triggered, this, measure);
    connect(chart, &SensitivityChart::measureRequested, this, measure);
    chart->setEmptyText(
        tr("No sensitivities measured yet.\n\nRun › Sensitivity (%1) quantizes one site at a "
           "time and shows which ones hurt.")
            .arg(m_bench.actions->sensitivity->shortcut().toString(QKeySequence::NativeText)));
    connect(m_bench.actions->floatFallback, &QAction::triggered, this,
        &SensitivityController::leaveSensitiveSitesInFloat);
}

void SensitivityController::showResults()
{
    const auto& model = m_bench.session->model();
    const auto& sensitivity = m_bench.session->sensitivity();
    SensitivityChart* chart = m_bench.views->sensitivity;
    chart->setExpectedCount(model ? static_cast<int>(model->sites.size()) : 0);
    chart->setResults(sensitivity.value ? *sensitivity.value : std::vector<SiteSensitivity>());
    showStale();
}

void SensitivityController::showStale()
{
    m_bench.views->sensitivity->setStale(m_bench.session->staleSensitivities());
}

void SensitivityController::leaveSensitiveSitesInFloat()
{
    constexpr double kUsualDb = 32.0;
    bool accepted = false;
    const double target = QInputDialog::getDouble(m_bench.window, tr("Leave Sensitive Sites in Float"),
        tr("SQNR of the logits to reach, in dB:"), kUsualDb, 0.0, 80.0, 1, &accepted);
    Session& session = *m_bench.session;
    if (!accepted || !session.model() || !session.sensitivity().value) {
        return; // a job may have replaced the document behind the dialog
    }
    const FloatFallback fallback
        = fallBackToFloat(session.model()->sites, session.plan(), *session.sensitivity().value, target);
    session.replacePlan(fallback.plan, tr("leave %1 sites in float").arg(fallback.sites.size()));
    m_bench.notices->notice(
        tr("%1 activations stay in floating point; %2 are predicted. Evaluate to see what is reached.")
            .arg(fallback.sites.size())
            .arg(formatDecibel(fallback.predictedSqnrDb)));
}

} // namespace qs
