#include "app/jobs/method_task.h"

#include "core/eval/calibrate.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QPointer>

#include <chrono>

namespace qs {

namespace {

const QString kKey = QStringLiteral("method");

/// Where a run keeps its finished blocks; "" when it does not train or there is no folder. Another run has
/// another file.
QString stateFile(const MethodRequest& request, const MethodInput& input, const QString& folder)
{
    if (folder.isEmpty() || request.method != QLatin1String("repquant")) {
        return {};
    }
    const MethodOptions& options = request.options;
    QString run = QStringLiteral("%1 %2 %3")
                      .arg(QString::fromStdString(input.model->hash), QString::fromStdString(input.dataHash),
                          request.title());
    for (const std::int64_t number : {input.samples.shape()[0], options.seed, options.iterations,
             options.endToEndIterations, options.views, static_cast<std::int64_t>(options.zeroPoint)}) {
        run += QStringLiteral(" %1").arg(number);
    }
    for (const std::optional<QuantizerKind>& kind : {options.softmaxKind, options.geluKind}) {
        run += QStringLiteral(" %1").arg(QLatin1String(kind ? nameOf(*kind).data() : "chosen"));
    }
    for (const Ingredient ingredient : options.without) {
        run += QStringLiteral(" -%1").arg(QLatin1String(nameOf(ingredient).data()));
    }
    QDir().mkpath(folder);
    const QByteArray hash = QCryptographicHash::hash(run.toUtf8(), QCryptographicHash::Sha256).toHex();
    return QDir(folder).filePath(QString::fromLatin1(hash.left(32)) + QStringLiteral(".h5"));
}

} // namespace

QString MethodRequest::title() const
{
    return QStringLiteral("%1 W%2A%3").arg(method).arg(options.weightBits).arg(options.activationBits);
}

/// What a run leaves.
struct MethodTask::Result
{
    std::shared_ptr<const ModelForm> form;
    std::shared_ptr<const Calibration> calibration;
    std::vector<LayerReport> layers;
};

/// Gathers points on the working thread and sends them on a few times a second: a small model makes
/// thousands.
class MethodTask::LossSender
{
public:
    LossSender(JobRunner* runner, QPointer<MethodTask> task)
        : m_runner(runner)
        , m_task(std::move(task))
    {
    }
    LossSender(const LossSender&) = delete;
    LossSender& operator=(const LossSender&) = delete;
    ~LossSender() { send(); }

    void add(const LossPoint& point)
    {
        m_points.push_back(point);
        if (std::chrono::steady_clock::now() - m_sent >= std::chrono::milliseconds(50)) {
            send();
        }
    }

private:
    void send()
    {
        if (m_points.empty()) {
            return;
        }
        m_runner->deliver([task = m_task, points = std::exchange(m_points, {})] {
            if (task) {
                emit task->lossMeasured(points);
            }
        });
        m_sent = std::chrono::steady_clock::now();
    }

    JobRunner* m_runner;
    QPointer<MethodTask> m_task;
    std::vector<LossPoint> m_points;
    std::chrono::steady_clock::time_point m_sent;
};

MethodTask::MethodTask(Session* session, JobRunner* runner, QString stateFolder, QObject* parent)
    : QObject(parent)
    , m_session(session)
    , m_runner(runner)
    , m_stateFolder(std::move(stateFolder))
{
}

QString MethodTask::jobKey()
{
    return kKey;
}

bool MethodTask::isRunning() const
{
    return m_runner->isRunning(kKey);
}

void MethodTask::cancel()
{
    m_runner->cancel(kKey);
}

MethodTask::Result MethodTask::resultOf(const MethodRequest& request, std::shared_ptr<const Model> model,
    const DataSource& data, LossSender& sender, const QString& stateFolder, const TaskContext& context)
{
    MethodOptions options = request.options;
    options.onLoss = [&](const LossPoint& point) { sender.add(point); };
    const MethodInput input = methodInput(model, data, request.samples);
    const QString state = stateFile(request, input, stateFolder);
    options.resume = state.toStdString();
    Result result;
    try {
        const MethodResult found
            = runMethod(methodNamed(request.method.toStdString()), input, options, context);
        result.form = formOf(
            recipeOf(input, options, found), request.title().toStdString(), model, {context.stop, {}});
        result.layers = found.layers;
    } catch (const Error& error) {
        if (error.code() != ErrorCode::Cancelled) {
            QFile::remove(state); // it may be what is wrong
        }
        throw;
    }
    QFile::remove(state);
    result.calibration = calibrate(result.form->model, data, 0, context);
    return result;
}

void MethodTask::run(const MethodRequest& request)
{
    const auto model = m_session->openedModel();
    const auto data = m_session->calibrationData();
    if (!model || !data || m_session->isReadOnly()) {
        emit failed(request.title(), tr("A method needs a model and calibration data."));
        return;
    }
    m_runner->start(
        Lane::Batch, kKey, request.title(),
        [runner = m_runner, self = QPointer(this), model, data, request, folder = m_stateFolder](
            const TaskContext& context) {
            LossSender sender(runner, self);
            return resultOf(request, model, *data, sender, folder, context);
        },
        [this, request, model, data](Outcome<Result> outcome) {
            const auto* result = std::get_if<Result>(&outcome);
            const auto* failure = std::get_if<Failure>(&outcome);
            if (failure != nullptr && !failure->isCancelled()) {
                emit failed(request.title(), QString::fromStdString(failure->message));
            } else if (result == nullptr || m_session->openedModel() != model) {
                emit cancelled();
            } else {
                if (m_session->calibrationData() == data) {
                    m_session->publishCalibration(result->calibration, result->form);
                }
                m_session->replace(result->form->plan, result->form, request.title());
                emit finished(result->layers);
            }
        });
    emit started(request);
}

} // namespace qs
