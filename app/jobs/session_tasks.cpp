#include "app/jobs/session_tasks.h"

#include "app/jobs/document_files.h"
#include "app/jobs/report_printing.h"
#include "core/base/atomic_file.h"
#include "core/base/version.h"
#include "core/eval/calibrate.h"
#include "core/eval/input_check.h"
#include "core/eval/model_benchmark.h"
#include "core/eval/model_feeds.h"
#include "core/eval/random_feeds.h"
#include "core/eval/site_error.h"
#include "core/io/recipe_file.h"

#include <QDateTime>
#include <QFileInfo>

#include <algorithm>
#include <iterator>

namespace qs {

namespace {

const QString kOpenKey = QStringLiteral("open-model");
const QString kCalibrationDataKey = QStringLiteral("open-calibration-data");
const QString kEvaluationDataKey = QStringLiteral("open-evaluation-data");
const QString kCalibrateKey = QStringLiteral("calibrate");
const QString kEvaluateKey = QStringLiteral("evaluate");
const QString kSiteErrorsKey = QStringLiteral("site-errors");
const QString kSensitivityKey = QStringLiteral("sensitivity");
const QString kProfileKey = QStringLiteral("profile");
const QString kExportKey = QStringLiteral("export");
const QString kFileKey = QStringLiteral("file");

constexpr std::int64_t kProfileBatch = 8;
constexpr int kProfileRounds = 5; // the fastest counts

std::filesystem::path toPath(const QString& text)
{
    return {text.toStdString()};
}

QString fileName(const QString& path)
{
    return QFileInfo(path).fileName();
}

} // namespace

SessionTasks::SessionTasks(Session* session, JobRunner* runner, QObject* parent)
    : QObject(parent)
    , m_session(session)
    , m_runner(runner)
{
    connect(session, &Session::formChanged, this, [this] {
        if (!m_session->calibration() && m_session->calibrationData() && !m_session->isReadOnly()) {
            calibrate(); // the data was changed while the model had another form
        }
    });
}

template<typename R, typename Work, typename Done>
void SessionTasks::run(const QString& key, const QString& title, Work work, Done done)
{
    m_runner->start(Lane::Batch, key, title, std::move(work),
        [this, title, done = std::move(done)](Outcome<R> outcome) mutable {
            if (R* result = std::get_if<R>(&outcome)) {
                done(std::move(*result));
            } else if (const auto& failure = std::get<Failure>(outcome); !failure.isCancelled()) {
                emit failed(title, QString::fromStdString(failure.message));
            }
        });
}

std::shared_ptr<const DataSource> SessionTasks::metricsData() const
{
    return m_session->evaluationData() ? m_session->evaluationData() : m_session->calibrationData();
}

void SessionTasks::openModel(
    const QString& path, const QString& calibrationData, const QString& evaluationData)
{
    using R = std::shared_ptr<const Model>;
    run<R>(
        kOpenKey, tr("Open %1").arg(fileName(path)),
        [path](const TaskContext&) { return loadModel(toPath(path)); },
        [this, calibrationData, evaluationData](R model) {
            m_runner->cancelAll(); // everything else was about the old document
            m_session->openModel(std::move(model));
            if (!evaluationData.isEmpty()) {
                openEvaluationData(evaluationData);
            }
            if (!calibrationData.isEmpty()) {
                openCalibrationData(calibrationData);
            }
        });
}

void SessionTasks::openCalibrationData(const QString& path, const DataOptions& options)
{
    openData(path, options, true);
}

void SessionTasks::openEvaluationData(const QString& path, const DataOptions& options)
{
    openData(path, options, false);
}

void SessionTasks::openData(const QString& path, const DataOptions& options, bool forCalibration)
{
    const auto model = m_session->openedModel();
    if (!model) {
        emit failed(tr("Open data"), tr("Open a model first: the data is read the way the model wants it."));
        return;
    }
    using R = std::shared_ptr<const DataSource>;
    run<R>(
        forCalibration ? kCalibrationDataKey : kEvaluationDataKey, tr("Open %1").arg(fileName(path)),
        [path, model, options](const TaskContext&) { return openCached(toPath(path), *model, options); },
        [this, forCalibration, model, path, options](R data) {
            if (m_session->openedModel() != model) {
                return;
            }
            if (forCalibration) {
                m_session->setCalibrationData(std::move(data), path, options);
                calibrate();
            } else {
                m_session->setEvaluationData(std::move(data), path, options);
            }
        });
}

void SessionTasks::calibrate()
{
    const auto model = m_session->model();
    const auto data = m_session->calibrationData();
    if (!model || !data) {
        emit failed(tr("Calibrate"), tr("Calibration needs a model and a calibration set."));
        return;
    }
    using R = std::shared_ptr<const Calibration>;
    run<R>(
        kCalibrateKey, tr("Calibrate on %1 samples").arg(data->size()),
        [model, data](const TaskContext& context) { return qs::calibrate(model, *data, 0, context); },
        [this, data, form = m_session->form()](R calibration) {
            if (m_session->calibrationData() == data) {
                m_session->publishCalibration(std::move(calibration), form);
            }
        });
}

void SessionTasks::saveCalibration(const QString& file)
{
    const auto calibration = m_session->calibration();
    if (!calibration) {
        emit failed(tr("Save calibration"), tr("There is no calibration to save yet."));
        return;
    }
    run<bool>(
        kFileKey, tr("Save %1").arg(fileName(file)),
        [calibration, file](const TaskContext&) {
            qs::saveCalibration(*calibration, toPath(file));
            return true;
        },
        [this, file](bool) { emit saved(file); });
}

void SessionTasks::evaluate()
{
    const auto model = m_session->model();
    const auto calibration = m_session->calibration();
    const auto data = metricsData();
    if (!model || !calibration || !data) {
        emit failed(tr("Evaluate"), tr("Evaluation needs a calibrated model."));
        return;
    }
    struct Result
    {
        std::shared_ptr<const Fp32Reference> reference;
        std::shared_ptr<const Evaluation> evaluation;
    };
    run<Result>(
        kEvaluateKey, tr("Evaluate on %1 samples").arg(data->size()),
        [model, calibration, data, opened = m_session->openedModel(), form = m_session->form(),
            plan = m_session->plan(), reference = m_session->reference()](const TaskContext& context) {
            Result result {reference, nullptr};
            if (!result.reference) {
                Executor executor(opened);
                const TaskContext inner {context.stop,
                    [&](const Progress& p) { context.report("FP32 reference", p.done, p.total); }};
                result.reference
                    = std::make_shared<Fp32Reference>(computeReference(executor, *data, 0, inner));
            }
            const ResolvedPlan resolved = PlanResolver(model, calibration, form).resolve(plan, context);
            result.evaluation = std::make_shared<Evaluation>(
                evaluatePlan(model, resolved, *data, *result.reference, context, opened));
            return result;
        },
        [this, data, form = m_session->form(), plan = m_session->plan(), revision = m_session->revision()](
            Result result) {
            if (metricsData() == data) {
                m_session->publishReference(std::move(result.reference));
                m_session->publishEvaluation(std::move(result.evaluation), plan, revision, form);
            }
        });
}

void SessionTasks::computeSiteErrors()
{
    const auto model = m_session->model();
    const auto calibration = m_session->calibration();
    if (!model || !calibration || m_session->isReadOnly()) {
        return;
    }
    if (m_resolverCalibration != calibration) {
        m_siteErrorResolver = std::make_shared<PlanResolver>(model, calibration, m_session->form());
        m_resolverCalibration = calibration;
    }
    auto known = std::make_shared<SiteErrors>(); // those of choices that have not changed since
    if (const auto& present = m_session->siteErrors().value) {
        std::ranges::copy_if(*present, std::inserter(*known, known->end()),
            [this](const auto& entry) { return m_session->isErrorFresh(entry.first); });
    }
    auto work = [model, calibration, known, resolver = m_siteErrorResolver, plan = m_session->plan()](
                    const TaskContext& context) {
        const auto& errors = known;
        for (int i = 0; i < static_cast<int>(model->sites.size()); ++i) {
            const Site& site = model->sites[static_cast<std::size_t>(i)];
            const SiteChoice* choice = plan.find(site.name);
            if (choice != nullptr && choice->enabled && !errors->contains(site.name)) {
                context.throwIfCancelled();
                (*errors)[site.name] = siteError(*model, *calibration, site, resolver->resolve(i, *choice));
            }
        }
        return std::shared_ptr<const SiteErrors>(errors);
    };
    using R = std::shared_ptr<const SiteErrors>;
    m_runner->start(Lane::Live, kSiteErrorsKey, QString(), std::move(work),
        [this, calibration, revision = m_session->revision()](Outcome<R> outcome) {
            if (auto* errors = std::get_if<R>(&outcome);
                errors != nullptr && m_session->calibration() == calibration) {
                m_session->publishSiteErrors(std::move(*errors), revision);
            }
        });
}

void SessionTasks::cancelSiteErrors()
{
    m_runner->cancel(kSiteErrorsKey);
}

void SessionTasks::measureSensitivity(const std::vector<int>& widths, bool causes)
{
    const auto model = m_session->model();
    const auto calibration = m_session->calibration();
    const auto data = metricsData();
    if (!model || !calibration || !data) {
        emit failed(tr("Sensitivity"), tr("Sensitivity needs a calibrated model."));
        return;
    }
    SensitivityOptions options;
    options.widths = widths;
    options.causes = causes;
    if (m_session->sensitivity().value) {
        options.known = *m_session->sensitivity().value;
    }
    using R = std::shared_ptr<const std::vector<SiteSensitivity>>;
    const int revision = m_session->revision();
    const auto current = [this, calibration] { return m_session->calibration() == calibration; };
    run<R>(
        kSensitivityKey, tr("Sensitivity of %1 sites").arg(model->sites.size()),
        [this, runner = m_runner, model, calibration, data, plan = m_session->plan(), revision, current,
            options](const TaskContext& context) -> R {
            const auto onProgress = [&](const std::vector<SiteSensitivity>& results) {
                auto soFar = std::make_shared<const std::vector<SiteSensitivity>>(results);
                runner->deliver([this, soFar, revision, current] {
                    if (current()) {
                        m_session->publishSensitivity(soFar, revision);
                    }
                });
            };
            return std::make_shared<const std::vector<SiteSensitivity>>(
                qs::measureSensitivity(model, plan, *calibration, *data, options, context, onProgress));
        },
        [this, revision, current](R results) {
            if (current()) {
                m_session->publishSensitivity(std::move(results), revision);
            }
        });
}

void SessionTasks::profile()
{
    const auto model = m_session->model();
    if (!model) {
        emit failed(tr("Profile"), tr("Profiling needs a model."));
        return;
    }
    using R = std::shared_ptr<const SiteTimes>;
    run<R>(
        kProfileKey, tr("Profile the forward pass"),
        [model, data = m_session->calibrationData()](const TaskContext& context) -> R {
            const std::int64_t samples = data ? std::min(kProfileBatch, data->size()) : kProfileBatch;
            const FeedBatches batches {data ? feedsOf(*model->graph, loadBatch(*data, 0, samples))
                                            : randomFeeds(*model, samples, 0)};
            Executor executor(model);
            SiteTimes times
                = siteTimes(*model, profileModel(executor, batches, kProfileRounds, context).nodes);
            for (auto& [site, seconds] : times) {
                seconds /= static_cast<double>(samples);
            }
            return std::make_shared<const SiteTimes>(std::move(times));
        },
        [this, model](R times) {
            if (m_session->model() == model) {
                m_session->publishSiteTimes(std::move(times));
            }
        });
}

void SessionTasks::exportPlan(const ExportRequest& request)
{
    const auto model = m_session->model();
    const auto calibration = m_session->calibration();
    const auto data = m_session->calibrationData();
    if (!model || !calibration) {
        emit failed(tr("Export"), tr("Export needs a calibrated model."));
        return;
    }
    using R = std::optional<Verification>;
    run<R>(
        kExportKey, tr("Export %1").arg(fileName(request.file)),
        [model, calibration, data, form = m_session->form(), plan = m_session->plan(), request](
            const TaskContext& context) -> R {
            const Exporter& exporter = exporterNamed(request.format.toStdString());
            const ExportInput input {model, plan,
                PlanResolver(model, calibration, form).resolve(plan, context), calibration->dataHash,
                kVersion};
            exporter.write(input, toPath(request.file), context);
            if (request.verifySamples <= 0 || !data) {
                return std::nullopt;
            }
            const Tensor samples = loadBatch(*data, 0, std::min(request.verifySamples, data->size()));
            return verifyExport(exporter, input, toPath(request.file), samples, context);
        },
        [this, file = request.file](R verification) { emit exported(file, verification); });
}

void SessionTasks::openSession(const QString& file, const QString& modelPath)
{
    run<OpenedSession>(
        kOpenKey, tr("Open %1").arg(fileName(file)),
        [file, modelPath](const TaskContext&) { return openedSession(toPath(file), toPath(modelPath)); },
        [this, file](OpenedSession opened) {
            m_runner->cancelAll(); // everything else was about the old document
            m_session->restore(opened.file, opened.model, opened.calibrationData, opened.evaluationData);
            // The views have had their part: the selected site comes with the next turn.
            QMetaObject::invokeMethod(
                this,
                [this, file, site = QString::fromStdString(opened.file.selectedSite),
                    notices = opened.notices] {
                    emit sessionOpened(file, site);
                    if (!notices.isEmpty()) {
                        emit noticed(notices.join(QLatin1Char(' ')));
                    }
                },
                Qt::QueuedConnection);
        });
}

void SessionTasks::saveSession(const QString& file, const QString& selectedSite)
{
    if (!m_session->model()) {
        emit failed(tr("Save session"), tr("There is nothing to save yet."));
        return;
    }
    run<bool>(
        kFileKey, tr("Save %1").arg(fileName(file)),
        [session = m_session->toFile(selectedSite), file](const TaskContext&) {
            qs::saveSession(session, toPath(file));
            return true;
        },
        [this, file](bool) {
            m_session->undoStack()->setClean();
            emit saved(file);
        });
}

void SessionTasks::writeReport(const QString& file, std::vector<ReportPicture> pictures)
{
    if (!m_session->model()) {
        emit failed(tr("Report"), tr("There is nothing to report on yet."));
        return;
    }
    ReportInput input;
    input.session = m_session->toFile({});
    input.model = m_session->model();
    if (m_session->reference()) {
        input.fp32 = m_session->reference()->metrics;
    }
    if (m_session->calibration()) {
        if (const auto check = checkInput(*input.model, *m_session->calibration()); check && !check->fits) {
            input.remarks.push_back(check->sentence);
        }
    }
    input.pictures = std::move(pictures);
    input.date = QDateTime::currentDateTimeUtc().toString(Qt::ISODate).toStdString();
    const bool isPdf = QFileInfo(file).suffix().compare(QLatin1String("pdf"), Qt::CaseInsensitive) == 0;
    run<bool>(
        kFileKey, tr("Report %1").arg(fileName(file)),
        [input, file, isPdf](const TaskContext& context) {
            std::string bytes = htmlReport(input, context);
            if (isPdf) {
                bytes = reportAsPdf(
                    QString::fromStdString(bytes), QString::fromStdString(input.session.modelName))
                            .toStdString();
            }
            writeFileAtomically(toPath(file), bytes);
            return true;
        },
        [this, file](bool) { emit saved(file); });
}

void SessionTasks::openRecipe(const QString& file)
{
    const auto model = m_session->openedModel();
    if (!model) {
        emit failed(tr("Open recipe"), tr("Open the model of the recipe first."));
        return;
    }
    const auto data = m_session->calibrationData();
    run<OpenedRecipe>(
        kFileKey, tr("Open %1").arg(fileName(file)),
        [file, model, data](
            const TaskContext& context) { return openedRecipe(toPath(file), model, data, context); },
        [this, file, model, data](const OpenedRecipe& opened) {
            if (m_session->openedModel() != model) {
                return;
            }
            const Recipe& recipe = opened.recipe;
            Plan plan;
            for (const Site& site : model->sites) {
                if (const SiteChoice* choice = recipe.plan.find(site.name)) {
                    plan.choices[site.name] = *choice;
                }
            }
            if (plan.choices.empty()) {
                emit failed(tr("Open recipe"), tr("%1 names no site of this model.").arg(fileName(file)));
                return;
            }
            if (opened.calibration && m_session->calibrationData() == data) {
                m_session->publishCalibration(opened.calibration, opened.form);
            }
            m_session->replace(
                opened.form ? opened.form->plan : plan, opened.form, tr("recipe %1").arg(fileName(file)));
            if (recipe.modelHash != model->hash) {
                emit noticed(
                    tr("%1 was made for other weights (%2): its plan was applied, its scales are found anew.")
                        .arg(fileName(file), QString::fromStdString(recipe.modelName)));
            }
        });
}

void SessionTasks::saveRecipe(const QString& file)
{
    const auto model = m_session->model();
    const auto calibration = m_session->calibration();
    if (!model || !calibration) {
        emit failed(tr("Save recipe"), tr("A recipe needs a calibrated model."));
        return;
    }
    run<bool>(
        kFileKey, tr("Save %1").arg(fileName(file)),
        [model, calibration, form = m_session->form(), plan = m_session->plan(), file](
            const TaskContext& context) {
            writeRecipe(form ? makeRecipe(form, calibration, plan, context)
                             : makeRecipe(*model, *calibration, plan, context),
                toPath(file));
            return true;
        },
        [this, file](bool) {
            m_session->undoStack()->setClean();
            emit saved(file);
        });
}

} // namespace qs
