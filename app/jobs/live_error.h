#pragma once

#include "app/jobs/job_runner.h"
#include "core/eval/incremental_evaluator.h"
#include "core/eval/model_form.h"
#include "core/eval/plan_resolver.h"
#include "core/io/data_source.h"
#include "core/quant/quantization_error.h"
#include "widgets/common/result_state.h"

#include <QObject>
#include <QTimer>

#include <algorithm>
#include <memory>
#include <optional>

namespace qs {

/// The three errors of the site being looked at, fastest first.
struct LiveErrorState
{
    std::string site;
    std::optional<QuantParams> params;
    std::optional<QuantizationError> tensor;
    std::optional<LayerError> layer;
    std::optional<ErrorEstimate> model;
    ResultState tensorState = ResultState::None;
    ResultState layerState = ResultState::None;
    ResultState modelState = ResultState::None;
    std::int64_t probeGoal = 0; ///< samples that the model's error is refined up to
    std::string failure; ///< one sentence, empty when all is well
};

/// Follows the edits of one site at three speeds: the tensor's error from its statistics at once, then on the
/// live lane the output error of the layer that reads it and the logits' error of the whole plan on a few
/// probe samples. While the hand rests, more and more samples make the model's error surer. A new request
/// supersedes what is still being computed; older figures stay visible as stale until replaced.
class LiveError : public QObject
{
    Q_OBJECT
public:
    static constexpr std::int64_t kProbeSamples = 8; ///< at once
    static constexpr std::int64_t kRefinedSamples = 64; ///< in the end, where the probe set has them
    static constexpr int kRestMs = 400; ///< after which refining begins

    explicit LiveError(JobRunner* runner, QObject* parent = nullptr);

    /// Another model or calibration; probe is null when there is no data (the layer and model errors are then
    /// absent). form: what `model` is the result of, null where it is as it was opened.
    void setDocument(std::shared_ptr<const Model> model, std::shared_ptr<const Calibration> calibration,
        std::shared_ptr<const DataSource> probe, std::shared_ptr<const ModelForm> form = nullptr);
    /// Asks for the errors of `site` under `plan`; -1 looks away. Changes of other sites matter for the model
    /// error only.
    void request(int site, const Plan& plan);

    [[nodiscard]] const LiveErrorState& state() const { return m_state; }

signals:
    void stateChanged();

private:
    struct Worker; ///< lives on the live lane, shared with its jobs
    struct Answer;

    void computeTensorError(const SiteChoice& choice);
    void startJob();
    void startRefining();
    void accept(quint64 serial, const Answer& answer);
    void refine(quint64 serial, const ErrorEstimate& estimate);

    JobRunner* m_runner;
    std::shared_ptr<const Model> m_model;
    std::shared_ptr<const Calibration> m_calibration;
    std::shared_ptr<const ModelForm> m_form;
    std::shared_ptr<Worker> m_worker;
    LiveErrorState m_state;
    int m_site = -1;
    Plan m_plan;
    quint64 m_serial = 0;
    QTimer m_start; ///< joins the requests of one turn of the event loop
    QTimer m_rest; ///< runs out when nothing was asked for a while
};

} // namespace qs
