#include "app/ui/calibration_controller.h"

#include "app/jobs/live_error.h"
#include "app/session/session.h"
#include "app/ui/notices.h"
#include "app/ui/selection.h"
#include "app/ui/views.h"
#include "core/eval/input_check.h"
#include "widgets/views/calibration_view.h"

#include <QEvent>

namespace qs {

CalibrationController::CalibrationController(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
{
    connect(m_bench.session, &Session::calibrationChanged, this, &CalibrationController::checkInput);
    connect(m_bench.session, &Session::calibrationChanged, this, &CalibrationController::showSite);
    connect(m_bench.session, &Session::choicesChanged, this, &CalibrationController::showChoice);
    connect(m_bench.selection, &Selection::changed, this, &CalibrationController::showSite);
    connect(m_bench.live, &LiveError::stateChanged, this, &CalibrationController::showBounds);
    connect(m_bench.views->calibration, &CalibrationView::boundsRequested, this,
        &CalibrationController::takeBounds);
    m_bench.views->calibration->installEventFilter(this);
}

bool CalibrationController::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Show) {
        showSite();
    }
    return QObject::eventFilter(watched, event);
}

void CalibrationController::showChoice()
{
    const SiteChoice choice = m_bench.session->choice(m_bench.selection->first().toStdString());
    if (choice.kind != m_shown.kind || choice.symmetry != m_shown.symmetry || choice.bits != m_shown.bits) {
        showSite();
    }
}

void CalibrationController::checkInput()
{
    const Session& session = *m_bench.session;
    if (!session.model() || !session.calibration()) {
        return;
    }
    if (const auto check = qs::checkInput(*session.model(), *session.calibration()); check && !check->fits) {
        m_bench.notices->warn(QString::fromStdString(check->sentence));
    }
}

void CalibrationController::showSite()
{
    const Session& session = *m_bench.session;
    CalibrationView* view = m_bench.views->calibration;
    if (!view->isVisible()) {
        return; // it takes some milliseconds; the view asks when it is shown
    }
    const std::string site = m_bench.selection->first().toStdString();
    const auto statistics = session.calibration() ? session.calibration()->find(site) : nullptr;
    if (!statistics) {
        view->setSite({}, std::nullopt, {},
            session.calibration() ? tr("Weights have no samples: select an activation.")
                                  : tr("Open calibration data to see which samples set the ranges."));
        return;
    }
    m_shown = session.choice(site);
    const auto microscope = examineSite(*statistics, m_shown);
    view->setSite(
        statistics->samples, microscope, [this](qint64 sample) { return sampleName(sample); },
        tr("This calibration was saved without its samples: calibrate again (F5) to see them."));
    showBounds();
}

void CalibrationController::showBounds()
{
    if (!m_bench.views->calibration->isVisible()) {
        return; // as in showSite(), and every move of a drag comes here
    }
    const LiveErrorState& state = m_bench.live->state();
    const bool ofSite = state.site == m_bench.selection->first().toStdString();
    const bool single = ofSite && state.params && state.params->bounds.size() == 1
        && m_bench.session->choice(state.site).enabled;
    m_bench.views->calibration->setBounds(
        single ? std::optional(state.params->bounds.front()) : std::nullopt);
}

void CalibrationController::takeBounds(const Bounds& bounds)
{
    const std::string site = m_bench.selection->first().toStdString();
    if (m_bench.session->isReadOnly() || site.empty()) {
        return;
    }
    SiteChoice choice = m_bench.session->choice(site);
    choice.enabled = true;
    choice.granularity = Granularity::Tensor;
    choice.method = BoundMethod::Manual;
    choice.manualBounds = {bounds};
    m_bench.session->edit(
        {{site, choice}}, tr("bounds without a sample at %1").arg(m_bench.selection->first()));
}

QString CalibrationController::sampleName(qint64 sample) const
{
    const auto& data = m_bench.session->calibrationData();
    return data && sample < data->size() ? QString::fromStdString(data->sampleName(sample)) : QString();
}

} // namespace qs
