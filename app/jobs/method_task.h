#pragma once

#include "app/jobs/job_runner.h"
#include "app/session/session.h"
#include "core/methods/method.h"

#include <QObject>
#include <QString>

#include <vector>

namespace qs {

/// What a method is to do. onLoss and resume of the options are the task's own business.
struct MethodRequest
{
    QString method; ///< Method::name
    MethodOptions options;
    std::int64_t samples = 32; ///< the first ones of the calibration data

    [[nodiscard]] QString title() const; ///< "repquant W4A4"
};

/// Runs a quantization method on the opened model as a job of the batch lane. Its result, the model rewritten
/// and the plan for it, becomes one undo step. A method that trains keeps its finished blocks in a file while
/// it runs: started again with the same request, after Cancel or a crash, it goes on behind them.
class MethodTask : public QObject
{
    Q_OBJECT
public:
    /// stateFolder: where unfinished training is kept; empty: nowhere.
    MethodTask(Session* session, JobRunner* runner, QString stateFolder, QObject* parent = nullptr);

    void run(const MethodRequest& request);
    void cancel();
    [[nodiscard]] bool isRunning() const;
    [[nodiscard]] static QString jobKey();

signals:
    void started(const qs::MethodRequest& request);
    /// Points of the loss curve, a few at a time, in order.
    void lossMeasured(const std::vector<qs::LossPoint>& points);
    /// The result is in the session. layers: what a method without training tells of each layer.
    void finished(const std::vector<qs::LayerReport>& layers);
    void failed(const QString& what, const QString& sentence);
    void cancelled();

private:
    struct Result;
    class LossSender;
    [[nodiscard]] static Result resultOf(const MethodRequest& request, std::shared_ptr<const Model> model,
        const DataSource& data, LossSender& sender, const QString& stateFolder, const TaskContext& context);

    Session* m_session;
    JobRunner* m_runner;
    QString m_stateFolder;
};

} // namespace qs
