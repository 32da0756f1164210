#include "app/ui/reparameterization_controller.h"

#include "app/ui/notices.h"
#include "app/ui/selection.h"
#include "app/ui/views.h"
#include "core/eval/model_feeds.h"
#include "widgets/views/reparameterization_view.h"

#include <algorithm>
#include <utility>

namespace qs {

namespace {

const QString kEffectKey = QStringLiteral("reparameterization-effect");
constexpr int kQuietMs = 300; ///< the live errors of an edit go first

/// The plan under which a folded norm is measured: its choice is for rewritten values, so one scale is found
/// for those as they are.
Plan planBefore(Plan plan, const std::string& site)
{
    SiteChoice& choice = plan.choices[site];
    choice.method = BoundMethod::Percentile;
    choice.manualBounds.clear();
    return plan;
}

} // namespace

ReparameterizationController::ReparameterizationController(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
    , m_task(new ReparameterizationTask(bench.session, bench.runner, this))
    , m_view(bench.views->reparameterization)
{
    m_quiet.setSingleShot(true);
    m_quiet.setInterval(kQuietMs);
    connect(&m_quiet, &QTimer::timeout, this, &ReparameterizationController::measure);
    connect(bench.selection, &Selection::changed, this, &ReparameterizationController::show);
    for (const auto signal : {&Session::documentChanged, &Session::formChanged, &Session::calibrationChanged,
             &Session::dataChanged}) {
        connect(bench.session, signal, this, &ReparameterizationController::show);
    }
    connect(bench.session, &Session::choicesChanged, this, &ReparameterizationController::show);
    connect(m_view, &ReparameterizationView::shown, this, &ReparameterizationController::show);
    connect(m_view, &ReparameterizationView::thisToggled, this, [this](bool on) { toggle(on, false); });
    connect(m_view, &ReparameterizationView::allToggled, this, [this](bool on) { toggle(on, true); });
    connect(m_view, &ReparameterizationView::boundsRequested, m_task, &ReparameterizationTask::unfold);
    connect(m_task, &ReparameterizationTask::failed, this, [this](const QString& what, const QString& why) {
        m_bench.notices->fail(what, why);
        showSwitches(); // as the document is
    });
}

std::string ReparameterizationController::siteName(const NormSite& norm) const
{
    return m_bench.session->openedModel()->sites[static_cast<std::size_t>(norm.site)].name;
}

const NormSite* ReparameterizationController::norm() const
{
    const auto& model = m_bench.session->openedModel();
    const std::string selected = m_bench.selection->first().toStdString();
    const int index = model ? indexOfSite(model->sites, selected) : -1;
    if (index < 0) {
        return nullptr;
    }
    const std::vector<NormSite>& norms = m_task->norms();
    const ValueId value = model->sites[static_cast<std::size_t>(index)].value;
    const auto found = std::ranges::find_if(norms, [&](const NormSite& norm) {
        return norm.site == index || std::ranges::any_of(norm.linears, [&](NodeId linear) {
            return model->graph->node(linear).inputs[1] == value;
        });
    });
    return found == norms.end() ? nullptr : &*found;
}

void ReparameterizationController::show()
{
    m_bench.runner->cancel(kEffectKey);
    m_quiet.stop();
    if (!m_view->isVisible()) {
        return; // comes back with shown()
    }
    const Session& session = *m_bench.session;
    if (!session.openedModel()) {
        m_view->setEmptyText(tr("Open a model to see what reparameterization does to its norms."));
        return;
    }
    if (session.isReadOnly() || !session.calibrationData()) {
        m_view->setEmptyText(tr("Open the model with calibration data to measure reparameterization."));
        return;
    }
    const NormSite* shown = norm();
    if (shown == nullptr) {
        m_view->setEmptyText(m_task->norms().empty()
                ? tr("This model has no normalization whose scale could move into the linears behind it.")
                : tr("Select the input of a linear behind a normalization, such as %1.")
                      .arg(QString::fromStdString(siteName(m_task->norms().front()))));
        return;
    }
    m_view->setSite(QString::fromStdString(siteName(*shown)));
    m_view->setState(ResultState::Computing);
    showSwitches();
    m_quiet.start();
}

void ReparameterizationController::showSwitches()
{
    const NormSite* shown = norm();
    if (shown == nullptr) {
        return;
    }
    ReparameterizationSwitches switches;
    switches.thisOne = m_task->change(siteName(*shown)) != nullptr;
    switches.total = static_cast<int>(m_task->norms().size());
    const auto& form = m_bench.session->form();
    switches.on = form ? static_cast<int>(form->rewriting.reparameterizations.size()) : 0;
    if (m_task->isTrained()) {
        switches.locked = tr("The weights were trained for this reparameterization");
    }
    switches.hasBounds = switches.thisOne;
    m_view->setSwitches(switches);
}

void ReparameterizationController::measure()
{
    const Session& session = *m_bench.session;
    const NormSite* shown = norm();
    const auto model = session.openedModel();
    const auto calibration = session.calibrationOf(nullptr);
    const auto formCalibration = session.calibration();
    const auto data = session.calibrationData();
    if (shown == nullptr || !calibration || !formCalibration || !data) {
        return; // a calibration is on its way
    }
    const Reparameterization* folded = m_task->change(siteName(*shown));
    using R = std::pair<ReparameterizationEffect, std::vector<Bounds>>;
    auto work = [model, calibration, formCalibration, data, form = session.form(), plan = session.plan(),
                    trained = m_task->isTrained(), norm = *shown, name = siteName(*shown),
                    change = folded == nullptr ? std::nullopt : std::optional(*folded)](
                    const TaskContext& context) -> R {
        const std::int64_t fixed = batchSizeOf(*model->graph, 0);
        const Tensor probe = loadBatch(*data, 0, fixed > 0 ? fixed : std::min(kProbeSamples, data->size()));
        R result;
        result.first = measureReparameterization(
            model, norm, change ? planBefore(plan, name) : plan, *calibration, probe, change, context);
        if (change && trained) {
            result.second = formBounds(*form, *change, plan, *formCalibration);
        }
        return result;
    };
    m_bench.runner->start(Lane::Live, kEffectKey, QString(), std::move(work),
        [this, name = siteName(*shown)](Outcome<R> outcome) {
            if (const auto* result = std::get_if<R>(&outcome)) {
                const NormSite* now = norm();
                if (now != nullptr && siteName(*now) == name) {
                    m_view->setEffect(result->first, result->second);
                    m_view->setState(ResultState::Live);
                }
            } else if (const auto& failure = std::get<Failure>(outcome); !failure.isCancelled()) {
                m_bench.notices->fail(tr("Reparameterization"), QString::fromStdString(failure.message));
            }
        });
}

void ReparameterizationController::toggle(bool on, bool all)
{
    const NormSite* shown = norm();
    if (shown == nullptr) {
        return;
    }
    std::set<std::string> sites;
    for (const NormSite& each : m_task->norms()) {
        const bool isChosen = all || each.site == shown->site;
        if (isChosen ? on : m_task->change(siteName(each)) != nullptr) {
            sites.insert(siteName(each));
        }
    }
    m_task->apply(sites);
}

} // namespace qs
