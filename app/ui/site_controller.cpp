#include "app/ui/site_controller.h"

#include "app/jobs/live_error.h"
#include "app/jobs/resolve_ghost.h"
#include "app/jobs/session_tasks.h"
#include "app/session/session.h"
#include "app/ui/edit_controller.h"
#include "app/ui/notices.h"
#include "app/ui/selection.h"
#include "app/ui/site_rows.h"
#include "app/ui/views.h"
#include "core/stats/weight_statistics.h"
#include "widgets/common/error_strip.h"
#include "widgets/views/distribution_view.h"
#include "widgets/views/quantizer_inspector.h"

#include <QMainWindow>

namespace qs {

namespace {

constexpr int kQuietMs = 250;
const QString kGhostsKey = QStringLiteral("ghosts");
const QString kStatisticsKey = QStringLiteral("weight-statistics");

} // namespace

SiteController::SiteController(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
{
    const Session* session = m_bench.session;
    connect(session, &Session::documentChanged, this, &SiteController::showDocument);
    connect(session, &Session::calibrationChanged, this, &SiteController::showCalibration);
    connect(session, &Session::choicesChanged, this, &SiteController::showChoices);
    connect(m_bench.selection, &Selection::changed, this, &SiteController::showSelection);
    connect(m_bench.live, &LiveError::stateChanged, this, &SiteController::showLiveError);
    m_quiet.setSingleShot(true);
    m_quiet.setInterval(kQuietMs);
    connect(&m_quiet, &QTimer::timeout, m_bench.tasks, &SessionTasks::computeSiteErrors);
    connect(&m_quiet, &QTimer::timeout, this, &SiteController::requestGhosts);
    wireViews();
    showDocument();
}

void SiteController::wireViews()
{
    const DistributionView* distribution = m_bench.views->distribution;
    const QuantizerInspector* inspector = m_bench.views->inspector;
    connect(distribution, &DistributionView::boundsEdited, this, &SiteController::dragBounds);
    connect(distribution, &DistributionView::automaticRequested, this, [this](BoundMethod method) {
        SiteChoicePatch patch;
        patch.method = method;
        m_bench.edit->patch(m_bench.selection->sites().mid(0, 1), patch);
    });
    connect(distribution, &DistributionView::ghostsRequested, this, &SiteController::requestGhosts);
    connect(inspector, &QuantizerInspector::applyToRoleRequested, m_bench.edit,
        [edit = m_bench.edit](const QString& site) { edit->applyToRole(site.toStdString()); });
    connect(inspector, &QuantizerInspector::choiceEdited, this,
        [this](const SiteChoicePatch& patch) { m_bench.edit->patch(m_bench.selection->sites(), patch); });
}

int SiteController::siteIndex() const
{
    const auto& model = m_bench.session->model();
    return model ? indexOfSite(model->sites, m_bench.selection->first().toStdString()) : -1;
}

const Site* SiteController::site() const
{
    const int index = siteIndex();
    return index < 0 ? nullptr : &m_bench.session->model()->sites[static_cast<std::size_t>(index)];
}

std::vector<SiteRow> SiteController::selectedRows() const
{
    std::vector<SiteRow> rows;
    const auto& model = m_bench.session->model();
    for (const QString& name : m_bench.selection->sites()) {
        if (const int index = indexOfSite(model->sites, name.toStdString()); index >= 0) {
            rows.push_back(siteRow(*m_bench.session, model->sites[static_cast<std::size_t>(index)]));
        }
    }
    return rows;
}

void SiteController::showDocument()
{
    m_bench.views->inspector->setEnabled(!m_bench.session->isReadOnly());
    m_bench.views->distribution->setReadOnly(m_bench.session->isReadOnly());
    if (!m_bench.session->model()) {
        m_bench.views->distribution->setEmptyText(
            tr("Drop a model folder here, or open the demo from the File menu."));
    }
}

void SiteController::showCalibration()
{
    const Session& session = *m_bench.session;
    const auto& calibration = session.calibration();
    m_bench.live->setDocument(calibration ? session.model() : nullptr, calibration,
        session.isReadOnly() ? nullptr : session.calibrationData(), session.form());
    m_bench.views->distribution->setEmptyText(calibration
            ? tr("Select a site in the model tree.")
            : tr("Open calibration data to see distributions."));
    if (calibration) {
        m_quiet.start();
        selectFirst();
    }
    showSelection();
}

void SiteController::selectFirst()
{
    if (!m_bench.selection->sites().isEmpty()) {
        return;
    }
    for (const Site& site : m_bench.session->model()->sites) {
        if (site.role == Role::PostNormQkv && site.kind == SiteKind::Activation) {
            m_bench.selection->select({QString::fromStdString(site.name)});
            return;
        }
    }
}

void SiteController::showSelection()
{
    const Session& session = *m_bench.session;
    DistributionView* distribution = m_bench.views->distribution;
    const std::vector<SiteRow> rows = selectedRows();
    m_bench.views->inspector->setSites(rows);
    if (rows.empty()) {
        distribution->setSite(std::nullopt);
        m_bench.live->request(-1, session.plan());
        return;
    }
    const Site& shown = *site();
    distribution->setSite(rows.front());
    if (shown.kind == SiteKind::Weight && session.isReadOnly()) {
        distribution->setStatistics(nullptr);
        m_bench.live->request(-1, session.plan());
        return;
    }
    if (shown.kind == SiteKind::Weight) {
        requestWeightStatistics(shown);
    } else {
        distribution->setStatistics(
            session.calibration() ? session.calibration()->find(shown.name) : nullptr);
    }
    m_bench.live->request(siteIndex(), session.plan());
    requestGhosts();
}

void SiteController::requestWeightStatistics(const Site& shown)
{
    using R = std::shared_ptr<const SiteStatistics>;
    const auto model = m_bench.session->model();
    m_bench.runner->start(
        Lane::Live, kStatisticsKey, QString(),
        [model, shown](const TaskContext&) -> R {
            return std::make_shared<const SiteStatistics>(
                weightStatistics(shown.name, model->graph->value(shown.value).constant, shown.weightAxis));
        },
        [this, model, name = shown.name](const Outcome<R>& outcome) {
            if (const auto* failure = std::get_if<Failure>(&outcome)) {
                if (!failure->isCancelled()) {
                    m_bench.notices->fail(
                        tr("Statistics of the weight"), QString::fromStdString(failure->message));
                }
            } else if (m_bench.session->model() == model && site() != nullptr && site()->name == name) {
                m_bench.views->distribution->setStatistics(std::get<R>(outcome));
            }
        });
}

void SiteController::showChoices()
{
    std::vector<SiteRow> rows = selectedRows();
    if (!rows.empty()) {
        m_bench.live->request(siteIndex(), m_bench.session->plan());
        m_bench.views->distribution->setSite(rows.front());
    }
    m_bench.views->inspector->setSites(std::move(rows));
    m_quiet.start();
}

void SiteController::dragBounds(const Bounds& bounds, EditPhase phase)
{
    if (const Site* edited = site()) {
        m_bench.tasks->cancelSiteErrors(); // the hand goes first
        m_bench.edit->dragBounds(edited->name, m_bench.views->distribution->editedGroups(), bounds, phase);
    }
}

void SiteController::requestGhosts()
{
    const Site* shown = site();
    if (shown == nullptr) {
        return;
    }
    const std::vector<GhostChoice> choices = m_bench.views->distribution->ghostChoices();
    const auto model = m_bench.session->model();
    const auto calibration = m_bench.session->calibration();
    const bool hasValues = shown->kind == SiteKind::Activation || !m_bench.session->isReadOnly();
    if (choices.empty() || !calibration || !hasValues) {
        m_bench.runner->cancel(kGhostsKey);
        m_bench.views->distribution->setGhosts({});
        return;
    }
    using R = std::vector<GhostQuantizer>;
    m_bench.runner->start(
        Lane::Live, kGhostsKey, QString(),
        [model, calibration, site = *shown, choices](const TaskContext& context) {
            R ghosts;
            for (const GhostChoice& choice : choices) {
                ghosts.push_back(resolveGhost(*model, *calibration, site, choice, context));
            }
            return ghosts;
        },
        [this, name = shown->name](Outcome<R> outcome) {
            if (auto* ghosts = std::get_if<R>(&outcome)) {
                if (site() != nullptr && site()->name == name) {
                    m_bench.views->distribution->setGhosts(std::move(*ghosts));
                }
            } else if (const auto& failure = std::get<Failure>(outcome); !failure.isCancelled()) {
                m_bench.notices->fail(tr("Overlay"), QString::fromStdString(failure.message));
            }
        });
}

void SiteController::showLiveError()
{
    const LiveErrorState& state = m_bench.live->state();
    const bool enabled = !state.site.empty() && m_bench.session->choice(state.site).enabled;
    m_bench.views->distribution->setQuantizer(enabled ? state.params : std::nullopt);
    QuantizerInspector* inspector = m_bench.views->inspector;
    if (inspector->sites().size() == 1) {
        inspector->setQuantizer(enabled ? state.params : std::nullopt);
        inspector->setTensorError(enabled ? state.tensor : std::nullopt, state.tensorState);
    }
    showErrors();
    if (!state.failure.empty()) {
        m_bench.notices->fail(tr("Live error"), QString::fromStdString(state.failure));
    }
}

void SiteController::showErrors()
{
    const LiveErrorState& state = m_bench.live->state();
    ErrorStrip* strip = m_bench.views->errors;
    if (state.site.empty()) {
        strip->clear();
        return;
    }
    if (state.tensor) {
        strip->setTensorError(QString::fromStdString(state.site), *state.tensor);
    }
    if (state.layer) {
        strip->setLayerError(QString::fromStdString(state.layer->layer), state.layer->sqnrDb,
            state.layer->meanSquared, state.layer->samples);
    }
    if (state.model) {
        strip->setModelError(*state.model, state.probeGoal);
    }
    strip->setState(ErrorLevel::Tensor, state.tensorState);
    strip->setState(ErrorLevel::Layer, state.layerState);
    strip->setState(ErrorLevel::Model, state.modelState);
}

} // namespace qs
