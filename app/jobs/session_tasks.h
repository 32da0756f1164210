#pragma once

#include "app/jobs/job_runner.h"
#include "app/session/session.h"
#include "core/eval/plan_resolver.h"
#include "core/exporting/exporter.h"
#include "core/exporting/report.h"

#include <QObject>
#include <QString>

#include <memory>
#include <optional>
#include <vector>

namespace qs {

/// What to export, and whether to read the file back and run it.
struct ExportRequest
{
    QString format; ///< Exporter::name()
    QString file;
    std::int64_t verifySamples = 0; ///< 0: do not verify
};

/// The long jobs of a session: each runs on the batch lane, reports progress through the JobRunner and
/// publishes its result to the session, or emits failed() with one sentence and leaves the document as it
/// was.
class SessionTasks : public QObject
{
    Q_OBJECT
public:
    SessionTasks(Session* session, JobRunner* runner, QObject* parent = nullptr);

    /// Opens a model; data folders that are given follow it. The present document stays until the model has
    /// loaded.
    void openModel(
        const QString& path, const QString& calibrationData = {}, const QString& evaluationData = {});
    /// Opens a calibration set and calibrates.
    void openCalibrationData(const QString& path, const DataOptions& options = {});
    void openEvaluationData(const QString& path, const DataOptions& options = {});
    void calibrate();
    void saveCalibration(const QString& file);
    /// Evaluates the plan as it is now on the evaluation data (or, without, on the calibration data).
    void evaluate();
    /// Own error of every enabled site; on the live lane, and given up as soon as cancelSiteErrors() is
    /// called.
    void computeSiteErrors();
    void cancelSiteErrors();
    /// Measures what is not known yet: results of the same choice and samples are kept. `widths` empty: the
    /// bits of the plan; `causes`: clipping and rounding also one at a time.
    void measureSensitivity(const std::vector<int>& widths = {}, bool causes = false);
    /// Time of the forward pass, site by site, on calibration samples or, without, on random ones.
    void profile();
    void exportPlan(const ExportRequest& request);
    /// Opens a session file. Its model and data are opened where they still are, by path and hash; without
    /// the model the session is read-only. `modelPath` takes the place of the stated one when given.
    void openSession(const QString& file, const QString& modelPath = {});
    void saveSession(const QString& file, const QString& selectedSite);
    /// One HTML file, or a PDF where the name ends so: the session with the pictures given.
    void writeReport(const QString& file, std::vector<ReportPicture> pictures);
    void openRecipe(const QString& file);
    void saveRecipe(const QString& file);

    /// Data the metrics are computed on: the evaluation set, else the calibration set, else null.
    [[nodiscard]] std::shared_ptr<const DataSource> metricsData() const;

signals:
    /// A task ended without a result; `what` names it ("Open model"), `sentence` says why.
    void failed(const QString& what, const QString& sentence);
    void exported(const QString& file, const std::optional<qs::Verification>& verification);
    void saved(const QString& file);
    void noticed(const QString& sentence); ///< done, with something to know
    void sessionOpened(const QString& file, const QString& selectedSite);

private:
    template<typename R, typename Work, typename Done>
    void run(const QString& key, const QString& title, Work work, Done done);
    void openData(const QString& path, const DataOptions& options, bool forCalibration);

    Session* m_session;
    JobRunner* m_runner;
    std::shared_ptr<PlanResolver> m_siteErrorResolver; ///< used by jobs of the live lane only
    std::shared_ptr<const Calibration> m_resolverCalibration; ///< what it was made for
};

} // namespace qs
