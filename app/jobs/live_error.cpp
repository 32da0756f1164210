#include "app/jobs/live_error.h"

#include "core/eval/model_feeds.h"
#include "core/eval/site_error.h"
#include "core/io/spread_source.h"

#include <QPointer>

#include <algorithm>

namespace qs {

namespace {

const QString kKey = QStringLiteral("live-error");
const QString kRefineKey = QStringLiteral("live-error-refined");

bool isQuick(const Site& site, const SiteChoice& choice)
{
    return site.kind == SiteKind::Activation
        && (choice.method == BoundMethod::Manual || choice.method == BoundMethod::MinMax);
}

} // namespace

/// State of the computation itself: touched by jobs of the live lane only, which run one after the other.
struct LiveError::Worker
{
    std::shared_ptr<const Model> model;
    std::shared_ptr<const Calibration> calibration;
    std::shared_ptr<const DataSource> probe;
    std::shared_ptr<const ModelForm> form;
    std::unique_ptr<PlanResolver> resolver;
    std::unique_ptr<IncrementalEvaluator> evaluator;
    std::vector<SampleError> errors; ///< of the probe samples under the last plan

    /// Samples that the model's error is refined up to.
    [[nodiscard]] std::int64_t goal() const
    {
        return std::max(evaluator->sampleCount(), std::min(kRefinedSamples, probe->size()));
    }
    void prepareResolver()
    {
        if (!resolver) {
            resolver = std::make_unique<PlanResolver>(model, calibration, form);
        }
    }

    void prepareEvaluator(const TaskContext& context)
    {
        if (!evaluator && probe && probe->size() > 0) {
            context.throwIfCancelled();
            const std::int64_t fixed = batchSizeOf(*model->graph, 0);
            const std::int64_t wanted
                = fixed > 0 ? std::max(fixed, kProbeSamples) : batchSizeOf(*model, *probe, kProbeSamples);
            const std::int64_t samples = std::min(wanted, probe->size());
            auto made = std::make_unique<IncrementalEvaluator>(
                model, loadBatch(*probe, 0, samples), form ? form->opened : nullptr);
            made->prepare(context);
            evaluator = std::move(made);
        }
    }
};

/// What a job has found so far; delivered after each stage.
struct LiveError::Answer
{
    std::optional<QuantParams> params;
    std::optional<QuantizationError> tensor;
    std::optional<LayerError> layer;
    std::optional<ErrorEstimate> model;
    std::string failure;
    std::int64_t probeGoal = 0;
    bool finished = false;
};

LiveError::LiveError(JobRunner* runner, QObject* parent)
    : QObject(parent)
    , m_runner(runner)
{
    m_start.setSingleShot(true);
    m_start.setInterval(0);
    connect(&m_start, &QTimer::timeout, this, &LiveError::startJob);
    m_rest.setSingleShot(true);
    m_rest.setInterval(kRestMs);
    connect(&m_rest, &QTimer::timeout, this, &LiveError::startRefining);
}

void LiveError::setDocument(std::shared_ptr<const Model> model,
    std::shared_ptr<const Calibration> calibration, std::shared_ptr<const DataSource> probe,
    std::shared_ptr<const ModelForm> form)
{
    m_runner->cancel(kKey);
    m_runner->cancel(kRefineKey);
    m_start.stop();
    m_rest.stop();
    ++m_serial;
    m_model = std::move(model);
    m_calibration = std::move(calibration);
    m_worker = std::make_shared<Worker>();
    m_worker->model = m_model;
    m_worker->calibration = m_calibration;
    m_worker->probe = probe ? std::make_shared<SpreadSource>(std::move(probe)) : nullptr;
    m_worker->form = form;
    m_form = std::move(form);
    m_site = -1;
    m_state = {};
    emit stateChanged();
}

void LiveError::request(int site, const Plan& plan)
{
    ++m_serial;
    m_plan = plan;
    m_rest.stop();
    m_runner->cancel(kRefineKey);
    if (!m_model || !m_calibration || site < 0) {
        m_site = -1;
        m_state = {};
        m_runner->cancel(kKey);
        emit stateChanged();
        return;
    }
    if (site != m_site) {
        m_site = site;
        const auto modelError = m_state.model; // the plan's, not the site's: still worth showing
        m_state = {};
        m_state.site = m_model->sites[static_cast<std::size_t>(site)].name;
        m_state.model = modelError;
    }
    const SiteChoice* choice = plan.find(m_state.site);
    m_state.failure.clear();
    m_state.tensorState = m_state.tensor ? ResultState::Stale : ResultState::Computing;
    m_state.layerState = m_state.layer ? ResultState::Stale : ResultState::Computing;
    m_state.modelState = m_state.model ? ResultState::Stale : ResultState::Computing;
    computeTensorError(choice == nullptr ? SiteChoice() : *choice);
    emit stateChanged();
    m_start.start();
}

void LiveError::computeTensorError(const SiteChoice& choice)
{
    const Site& site = m_model->sites[static_cast<std::size_t>(m_site)];
    if (!isQuick(site, choice)) {
        return; // found on the live lane
    }
    try {
        const auto statistics = m_calibration->find(site.name);
        if (statistics) {
            const QuantParams* given = m_form ? m_form->given(site.name, choice) : nullptr;
            m_state.params = given != nullptr ? *given : resolveActivation(choice, *statistics);
            m_state.tensor = quantizationError(*statistics, *m_state.params);
            m_state.tensorState = ResultState::Live;
        }
    } catch (const Error& error) {
        m_state.failure = error.what();
        m_state.tensorState = ResultState::None;
    }
}

void LiveError::startJob()
{
    if (m_site < 0) {
        return;
    }
    const quint64 serial = m_serial;
    const QPointer<LiveError> self(
        this); // jobs may outlive this object, answers are only looked at on its thread
    auto work = [self, runner = m_runner, serial, worker = m_worker, plan = m_plan, index = m_site](
                    const TaskContext& context) {
        const Site& site = worker->model->sites[static_cast<std::size_t>(index)];
        const SiteChoice* found = plan.find(site.name);
        const SiteChoice choice = found == nullptr ? SiteChoice() : *found;
        const auto tell = [&](const Answer& answer) {
            runner->deliver([self, serial, answer] {
                if (self) {
                    self->accept(serial, answer);
                }
            });
        };
        worker->prepareResolver();
        Answer answer;
        answer.params = worker->resolver->resolve(index, choice);
        answer.tensor = siteError(*worker->model, *worker->calibration, site, *answer.params);
        tell(answer);
        worker->prepareEvaluator(context);
        if (worker->evaluator) {
            answer.probeGoal = worker->goal();
            answer.layer = worker->evaluator->layerError(index, *answer.params, context);
            tell(answer);
            const ResolvedPlan resolved = worker->resolver->resolve(plan, context);
            (void)worker->evaluator->modelError(resolved, index, context);
            worker->errors = worker->evaluator->sampleErrors();
            answer.model = estimateErrors(worker->errors);
        }
        answer.finished = true;
        return answer;
    };
    m_runner->start(Lane::Live, kKey, QString(), std::move(work), [self, serial](Outcome<Answer> outcome) {
        if (!self) {
            return;
        }
        if (const auto* answer = std::get_if<Answer>(&outcome)) {
            self->accept(serial, *answer);
        } else if (const auto& failure = std::get<Failure>(outcome); !failure.isCancelled()) {
            Answer failed;
            failed.failure = failure.message;
            failed.finished = true;
            self->accept(serial, failed);
        }
    });
}

void LiveError::accept(quint64 serial, const Answer& answer)
{
    if (serial != m_serial) {
        return; // the hand has moved on
    }
    const auto take = [&](auto& target, const auto& source, ResultState& state) {
        if (source) {
            target = source;
            state = ResultState::Live;
        } else if (answer.finished) {
            state = ResultState::None;
        } else {
            state = ResultState::Computing;
        }
    };
    if (answer.params) {
        m_state.params = answer.params;
    }
    take(m_state.tensor, answer.tensor, m_state.tensorState);
    take(m_state.layer, answer.layer, m_state.layerState);
    take(m_state.model, answer.model, m_state.modelState);
    m_state.probeGoal = answer.probeGoal;
    m_state.failure = answer.failure;
    emit stateChanged();
    if (answer.finished && answer.model && answer.model->samples < answer.probeGoal) {
        m_rest.start();
    }
}

void LiveError::startRefining()
{
    const quint64 serial = m_serial;
    const QPointer<LiveError> self(this);
    auto work
        = [self, runner = m_runner, serial, worker = m_worker, plan = m_plan](const TaskContext& context) {
              const ResolvedPlan resolved = worker->resolver->resolve(plan, context);
              std::vector<SampleError> errors = worker->errors;
              const bool isFixed = batchSizeOf(*worker->model->graph, 0) > 0;
              const std::int64_t batch = batchSizeOf(*worker->model, *worker->probe, kProbeSamples);
              const std::int64_t goal = worker->goal();
              for (auto first = static_cast<std::int64_t>(errors.size());
                   first + (isFixed ? batch : 1) <= goal; first += batch) {
                  const std::int64_t count = std::min(batch, goal - first);
                  const std::vector<SampleError> more = worker->evaluator->furtherErrors(
                      resolved, first, loadBatch(*worker->probe, first, count), context);
                  errors.insert(errors.end(), more.begin(), more.end());
                  runner->deliver([self, serial, estimate = estimateErrors(errors)] {
                      if (self) {
                          self->refine(serial, estimate);
                      }
                  });
              }
              return true;
          };
    m_runner->start(
        Lane::Live, kRefineKey, QString(), std::move(work), [self, serial](const Outcome<bool>& outcome) {
            const auto* failure = std::get_if<Failure>(&outcome);
            if (self && failure != nullptr && !failure->isCancelled() && serial == self->m_serial) {
                self->m_state.failure = failure->message;
                emit self->stateChanged();
            }
        });
}

void LiveError::refine(quint64 serial, const ErrorEstimate& estimate)
{
    if (serial == m_serial) {
        m_state.model = estimate;
        emit stateChanged();
    }
}

} // namespace qs
