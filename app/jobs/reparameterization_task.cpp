#include "app/jobs/reparameterization_task.h"

#include "core/eval/calibrate.h"
#include "core/methods/learned_bounds.h"
#include "core/quant/manual_choice.h"

#include <algorithm>

namespace qs {

namespace {

const QString kKey = QStringLiteral("reparameterize");

/// The choice that the fold was made from: the same scales, one per channel.
SiteChoice channelChoice(const Reparameterization& change)
{
    SiteChoice choice = manualChoice(change.channels);
    choice.granularity = Granularity::Group;
    return choice;
}

/// Bounds set by hand were those of weights that are others now.
void forgetManualWeights(Plan& plan, const Model& model, const NormSite& norm)
{
    for (const Site& site : model.sites) {
        const bool isBehind = site.kind == SiteKind::Weight
            && std::ranges::any_of(norm.linears,
                [&](NodeId linear) { return model.graph->node(linear).inputs[1] == site.value; });
        const auto choice = plan.choices.find(site.name);
        if (isBehind && choice != plan.choices.end() && choice->second.method == BoundMethod::Manual) {
            choice->second.method = BoundMethod::MinMax;
            choice->second.manualBounds.clear();
        }
    }
}

struct Applied
{
    Plan plan;
    std::shared_ptr<const ModelForm> form; ///< null: nothing is rewritten any more
    std::shared_ptr<const Calibration> calibration;
};

} // namespace

std::vector<Bounds> formBounds(
    const ModelForm& form, const Reparameterization& change, const Plan& plan, const Calibration& calibration)
{
    const int index = indexOfSite(form.model->sites, change.site);
    const SiteChoice* choice = plan.find(change.site);
    if (index < 0 || choice == nullptr) {
        return {};
    }
    const QuantParams* given = form.given(change.site, *choice);
    const QuantParams params = given != nullptr
        ? *given
        : resolveSite(*form.model, form.model->sites[static_cast<std::size_t>(index)], *choice, calibration);
    if (params.scales.size() != 1 || params.kind != QuantizerKind::Uniform) {
        return {};
    }
    std::vector<Reparameterization> list {change};
    setLearnedBounds(*form.opened, *form.model, {{change.site, params}}, list);
    return list.front().channels.bounds;
}

ReparameterizationTask::ReparameterizationTask(Session* session, JobRunner* runner, QObject* parent)
    : QObject(parent)
    , m_session(session)
    , m_runner(runner)
{
}

const std::vector<NormSite>& ReparameterizationTask::norms()
{
    if (m_normsOf != m_session->openedModel()) {
        m_normsOf = m_session->openedModel();
        m_norms = m_normsOf && !m_session->isReadOnly() ? findNormSites(*m_normsOf, NormScope::All)
                                                        : std::vector<NormSite>();
    }
    return m_norms;
}

const Reparameterization* ReparameterizationTask::change(const std::string& site) const
{
    const auto& form = m_session->form();
    if (!form) {
        return nullptr;
    }
    const auto& list = form->rewriting.reparameterizations;
    const auto found = std::ranges::find(list, site, &Reparameterization::site);
    return found == list.end() ? nullptr : &*found;
}

bool ReparameterizationTask::isTrained() const
{
    return m_session->form() && !m_session->form()->rewriting.constants.empty();
}

void ReparameterizationTask::apply(const std::set<std::string>& sites)
{
    const auto model = m_session->openedModel();
    const auto calibration = m_session->calibrationOf(nullptr);
    const auto data = m_session->calibrationData();
    if (!model || !calibration || !data || isTrained()) {
        emit failed(tr("Reparameterization"), tr("It needs a calibrated model that no method has trained."));
        return;
    }
    auto work = [model, calibration, data, sites, form = m_session->form(), plan = m_session->plan(),
                    all = norms()](const TaskContext& context) {
        Applied applied {plan, nullptr, nullptr};
        auto made = std::make_shared<ModelForm>();
        for (const NormSite& norm : all) {
            const std::string& name = model->sites[static_cast<std::size_t>(norm.site)].name;
            const auto& old = form ? form->rewriting.reparameterizations : std::vector<Reparameterization>();
            const auto before = std::ranges::find(old, name, &Reparameterization::site);
            if (!sites.contains(name)) {
                if (before != old.end()) {
                    applied.plan.choices[name] = channelChoice(*before);
                    forgetManualWeights(applied.plan, *model, norm);
                }
                continue;
            }
            Reparameterization change;
            if (before != old.end()) {
                change = *before;
            } else {
                context.throwIfCancelled();
                change = meanReparameterization(
                    name, channelQuantizer(*model, norm, plan, *calibration, context));
                applied.plan.choices[name] = manualChoice(change.tensor);
                forgetManualWeights(applied.plan, *model, norm);
            }
            made->plan.choices[name] = manualChoice(change.tensor);
            made->quantizers[name] = change.tensor;
            made->rewriting.reparameterizations.push_back(std::move(change));
        }
        if (!made->rewriting.isEmpty()) {
            made->name = "reparameterization of " + std::to_string(made->rewriting.reparameterizations.size())
                + " norms";
            made->opened = model;
            made->model = rewritten(model, made->rewriting);
            applied.calibration = calibrate(made->model, *data, 0, context);
            applied.form = std::move(made);
        }
        return applied;
    };
    const QString title = tr("Reparameterization");
    m_runner->start(
        Lane::Batch, kKey, title, std::move(work), [this, title, model, data](Outcome<Applied> outcome) {
            if (const auto* applied = std::get_if<Applied>(&outcome)) {
                if (m_session->openedModel() == model && m_session->calibrationData() == data) {
                    if (applied->form) {
                        m_session->publishCalibration(applied->calibration, applied->form);
                    }
                    m_session->replace(applied->plan, applied->form, tr("reparameterization"));
                }
            } else if (const auto& failure = std::get<Failure>(outcome); !failure.isCancelled()) {
                emit failed(title, QString::fromStdString(failure.message));
            }
        });
}

void ReparameterizationTask::unfold()
{
    const auto form = m_session->form();
    const auto calibration = m_session->calibration();
    if (!form || !calibration || m_session->isReadOnly()) {
        return;
    }
    Plan plan = m_session->plan();
    for (const NormSite& norm : norms()) {
        const std::string& name = form->opened->sites[static_cast<std::size_t>(norm.site)].name;
        const Reparameterization* folded = change(name);
        if (folded == nullptr) {
            continue;
        }
        SiteChoice choice = channelChoice(*folded);
        choice.bits = m_session->choice(name).bits;
        const std::vector<Bounds> bounds = formBounds(*form, *folded, plan, *calibration);
        if (!bounds.empty()) {
            choice.manualBounds = bounds;
        }
        plan.choices[name] = choice;
    }
    for (const ActivationShift& shift : form->rewriting.shifts) { // the opened model's values may be negative
        SiteChoice& choice = plan.choices[shift.site];
        choice.kind = QuantizerKind::Uniform;
        choice.method = BoundMethod::Mse;
        choice.manualBounds.clear();
    }
    for (const Site& site : form->opened->sites) { // bounds of the rewritten weights
        const auto found = plan.choices.find(site.name);
        if (site.kind == SiteKind::Weight && found != plan.choices.end()
            && found->second.method == BoundMethod::Manual) {
            found->second.method = BoundMethod::MinMax;
            found->second.manualBounds.clear();
        }
    }
    m_session->replace(plan, nullptr, tr("bounds per channel on the original weights"));
}

} // namespace qs
