#pragma once

#include "core/eval/evaluate.h"
#include "core/eval/sensitivity.h"
#include "core/eval/session_file.h"
#include "core/eval/site_times.h"
#include "core/io/data_source.h"
#include "core/quant/plan.h"
#include "core/quant/quantization_error.h"
#include "core/stats/site_statistics.h"

#include <QObject>
#include <QString>
#include <QStringList>
#include <QUndoStack>

#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace qs {

/// Choices of several sites at once; the unit of an edit.
using ChoiceMap = std::map<std::string, SiteChoice>;

/// Quantization error of each site's own values, by site name.
using SiteErrors = std::map<std::string, QuantizationError>;

/// A result together with the plan revision it was computed from. It is stale once the plan has moved on.
template<typename T>
struct Stamped
{
    std::shared_ptr<const T> value;
    int revision = -1;
};

/// The one document: model, data, calibration, the plan with its undo history, and computed results. Lives on
/// the UI thread. The plan changes through undo commands only, and so does the form of the model that it is
/// for: as it was opened, or as a method rewrote it. Results are published as immutable values and are not
/// undoable.
class Session : public QObject
{
    Q_OBJECT
public:
    explicit Session(QObject* parent = nullptr);
    ~Session() override;

    /// What the plan is for: the opened model, or what a method made of it.
    [[nodiscard]] const std::shared_ptr<const Model>& model() const { return m_model; }
    /// As it was opened: what everything is measured against.
    [[nodiscard]] const std::shared_ptr<const Model>& openedModel() const { return m_opened; }
    /// What a method made of the model; null: it is as it was opened.
    [[nodiscard]] const std::shared_ptr<const ModelForm>& form() const { return m_form; }
    [[nodiscard]] const std::shared_ptr<const DataSource>& calibrationData() const
    {
        return m_calibrationData;
    }
    [[nodiscard]] const std::shared_ptr<const DataSource>& evaluationData() const { return m_evaluationData; }
    /// Of model(); null until calibrated.
    [[nodiscard]] const std::shared_ptr<const Calibration>& calibration() const { return m_calibration; }
    /// Of a form of the model (null: as it was opened); null until calibrated.
    [[nodiscard]] std::shared_ptr<const Calibration> calibrationOf(
        const std::shared_ptr<const ModelForm>& form) const;
    [[nodiscard]] const Plan& plan() const { return m_plan; }
    [[nodiscard]] SiteChoice choice(
        const std::string& site) const; ///< the default (disabled) one where absent
    /// Counts every change of the plan; undo restores the plan, not the number.
    [[nodiscard]] int revision() const { return m_revision; }
    [[nodiscard]] QUndoStack* undoStack() { return &m_undoStack; }
    [[nodiscard]] bool isModified() const { return !m_undoStack.isClean(); }

    /// A new document: plan, history and results of the old one are gone. It starts with the quantizers
    /// the file came with, or else with the W8A8 min-max preset.
    void openModel(std::shared_ptr<const Model> model);
    /// A new calibration set invalidates the statistics; the plan stays.
    void setCalibrationData(
        std::shared_ptr<const DataSource> data, const QString& path = {}, const DataOptions& options = {});
    void setEvaluationData(
        std::shared_ptr<const DataSource> data, const QString& path = {}, const DataOptions& options = {});
    /// How the data at hand, or the latest one, was made into samples.
    [[nodiscard]] const DataOptions& calibrationOptions() const { return m_calibrationOptions; }
    [[nodiscard]] const DataOptions& evaluationOptions() const { return m_evaluationOptions; }
    /// The document of a session file: with its model, or with placeholderModel() to look at only. Data that
    /// is given must be what the statistics and results are of; null where it is not at hand.
    void restore(const SessionFile& file, std::shared_ptr<const Model> model,
        std::shared_ptr<const DataSource> calibrationData, std::shared_ptr<const DataSource> evaluationData);
    /// What a session file holds of the document. There must be a model.
    [[nodiscard]] SessionFile toFile(const QString& selectedSite) const;
    /// The model is not at hand: the plan cannot be edited and nothing can be computed.
    [[nodiscard]] bool isReadOnly() const;

    /// One undo step that sets the given sites' choices. Steps with the same non-zero gesture merge into one;
    /// a gesture that ends where it began leaves none. Choices equal to the present ones are left out; if
    /// none remains, nothing happens.
    void edit(const ChoiceMap& choices, const QString& text, int gesture = 0);
    /// Takes back everything the gesture did, leaving no undo step.
    void abortGesture(int gesture);
    /// Replaces the whole plan as one undo step; the form of the model stays.
    void replacePlan(const Plan& plan, const QString& text);
    /// Replaces plan and form (null: the model as it was opened) as one undo step.
    void replace(const Plan& plan, std::shared_ptr<const ModelForm> form, const QString& text);
    [[nodiscard]] int newGesture() { return ++m_lastGesture; }

    /// Statistics of a form of the model; null: of the model as it was opened.
    void publishCalibration(
        std::shared_ptr<const Calibration> calibration, std::shared_ptr<const ModelForm> form = nullptr);
    /// What FP32 says of the evaluation data.
    void publishReference(std::shared_ptr<const Fp32Reference> reference);
    /// Of plan and form as they were at that revision. The snapshot of them gets the figures; without one
    /// they are kept under a name of their own.
    void publishEvaluation(std::shared_ptr<const Evaluation> evaluation, const Plan& plan, int revision,
        std::shared_ptr<const ModelForm> form = nullptr);
    /// Error of every enabled site's own values under the plan of that revision.
    void publishSiteErrors(std::shared_ptr<const SiteErrors> errors, int revision);
    /// Seconds per sample of the forward pass in floating point; they do not depend on the plan.
    void publishSiteTimes(std::shared_ptr<const SiteTimes> times);
    void publishSensitivity(std::shared_ptr<const std::vector<SiteSensitivity>> results, int revision);

    /// Null until computed.
    [[nodiscard]] const std::shared_ptr<const Fp32Reference>& reference() const { return m_reference; }
    [[nodiscard]] const Stamped<Evaluation>& evaluation() const { return m_evaluation; }
    [[nodiscard]] const Stamped<SiteErrors>& siteErrors() const { return m_siteErrors; }
    /// Whether siteErrors() was computed under the site's present choice.
    [[nodiscard]] bool isErrorFresh(const std::string& site) const;
    [[nodiscard]] const Stamped<std::vector<SiteSensitivity>>& sensitivity() const { return m_sensitivity; }
    /// Sites whose result is of another choice than the plan's; bits count where those of the plan were
    /// measured.
    [[nodiscard]] QStringList staleSensitivities() const;

    [[nodiscard]] const std::shared_ptr<const SiteTimes>& siteTimes() const { return m_siteTimes; }
    /// Plans kept under a name, oldest first. They are no part of the undo history.
    [[nodiscard]] const std::vector<Snapshot>& snapshots() const { return m_snapshots; }
    /// Keeps the present plan, and the form that it is for.
    void addSnapshot(const QString& name);
    void renameSnapshot(int index, const QString& name);
    void removeSnapshot(int index);
    /// "W4 A4.3 (2)": mean bits and the number of the snapshot it would be; on a form with its name,
    /// "repquant W4A4 (2)".
    [[nodiscard]] QString suggestedName(const Plan& plan, const ModelForm* form) const;
    [[nodiscard]] QString suggestedName() const { return suggestedName(m_plan, m_form.get()); }

signals:
    void documentChanged(); ///< another model
    void formChanged(); ///< the model was rewritten, or is as it was opened again
    void dataChanged();
    void calibrationChanged();
    void choicesChanged(const QStringList& sites);
    void evaluationChanged();
    void siteErrorsChanged();
    void sensitivityChanged();
    void siteTimesChanged();
    void snapshotsChanged();

private:
    friend class ChangeChoicesCommand;
    friend class ChangeFormCommand;
    /// Sets (or, for nullopt, removes) choices without history.
    void apply(const std::map<std::string, std::optional<SiteChoice>>& choices);

    void apply(const Plan& plan, std::shared_ptr<const ModelForm> form);
    [[nodiscard]] std::vector<SessionForm> usedForms() const; ///< of the plan and the snapshots

    std::shared_ptr<const Model> m_opened;
    std::shared_ptr<const ModelForm> m_form;
    std::shared_ptr<const Model> m_model; ///< m_form's, else m_opened
    std::shared_ptr<const DataSource> m_calibrationData;
    std::shared_ptr<const DataSource> m_evaluationData;
    std::shared_ptr<const Calibration> m_calibration; ///< of m_form
    std::map<std::shared_ptr<const ModelForm>, std::shared_ptr<const Calibration>> m_calibrations;
    QString m_calibrationPath;
    QString m_evaluationPath;
    DataOptions m_calibrationOptions;
    DataOptions m_evaluationOptions;
    Plan m_plan;
    int m_revision = 0;
    std::map<std::string, int> m_changedAt; ///< revision of the last change of a site's choice
    int m_lastGesture = 0;
    std::shared_ptr<const Fp32Reference> m_reference;
    Stamped<Evaluation> m_evaluation;
    Stamped<SiteErrors> m_siteErrors;
    Stamped<std::vector<SiteSensitivity>> m_sensitivity;
    std::shared_ptr<const SiteTimes> m_siteTimes; ///< null until measured
    std::vector<Snapshot> m_snapshots;
    QUndoStack m_undoStack;
};

} // namespace qs
