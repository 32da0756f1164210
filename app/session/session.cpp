#include "app/session/session.h"

#include "app/session/change_choices_command.h"
#include "app/session/change_form_command.h"
#include "app/session/logging.h"

#include <algorithm>

namespace qs {

Session::Session(QObject* parent)
    : QObject(parent)
{
}

Session::~Session() = default;

SiteChoice Session::choice(const std::string& site) const
{
    const SiteChoice* found = m_plan.find(site);
    return found == nullptr ? SiteChoice() : *found;
}

void Session::openModel(std::shared_ptr<const Model> model)
{
    qCInfo(lcSession) << "model" << QString::fromStdString(model->name) << "with" << model->sites.size()
                      << "sites";
    m_undoStack.clear();
    m_opened = std::move(model);
    m_form.reset();
    m_model = m_opened;
    m_calibrations.clear();
    m_calibrationData.reset();
    m_evaluationData.reset();
    m_calibration.reset();
    m_calibrationPath.clear();
    m_evaluationPath.clear();
    m_calibrationOptions = {};
    m_evaluationOptions = {};
    m_plan = m_model->startingPlan != nullptr ? *m_model->startingPlan : makePreset(m_model->sites, {});
    m_snapshots.clear();
    ++m_revision;
    m_changedAt.clear();
    m_reference.reset();
    m_evaluation = {};
    m_siteErrors = {};
    m_sensitivity = {};
    m_siteTimes.reset();
    emit documentChanged();
    emit dataChanged();
    emit calibrationChanged();
    emit evaluationChanged();
    emit sensitivityChanged();
    emit snapshotsChanged();
}

void Session::setCalibrationData(
    std::shared_ptr<const DataSource> data, const QString& path, const DataOptions& options)
{
    m_calibrationData = std::move(data);
    m_calibrationPath = path;
    m_calibrationOptions = options;
    m_calibration.reset();
    m_calibrations.clear();
    m_siteErrors = {};
    m_sensitivity = {};
    emit dataChanged();
    emit calibrationChanged();
    emit sensitivityChanged();
}

void Session::setEvaluationData(
    std::shared_ptr<const DataSource> data, const QString& path, const DataOptions& options)
{
    m_evaluationData = std::move(data);
    m_evaluationPath = path;
    m_evaluationOptions = options;
    m_reference.reset();
    m_evaluation = {};
    for (Snapshot& snapshot : m_snapshots) {
        snapshot.evaluation.reset(); // measured on other data
    }
    emit snapshotsChanged();
    emit dataChanged();
    emit evaluationChanged();
}

bool Session::isReadOnly() const
{
    return m_model && m_model->graph->nodes().empty();
}

std::shared_ptr<const Calibration> Session::calibrationOf(const std::shared_ptr<const ModelForm>& form) const
{
    const auto found = m_calibrations.find(form);
    return found == m_calibrations.end() ? nullptr : found->second;
}

std::vector<SessionForm> Session::usedForms() const
{
    std::vector<SessionForm> forms;
    const auto add = [&](const std::shared_ptr<const ModelForm>& form) {
        if (form && std::ranges::find(forms, form, &SessionForm::form) == forms.end()) {
            forms.push_back({form, calibrationOf(form)});
        }
    };
    add(m_form);
    for (const Snapshot& snapshot : m_snapshots) {
        add(snapshot.form);
    }
    return forms;
}

SessionFile Session::toFile(const QString& selectedSite) const
{
    SessionFile file;
    file.modelPath = m_opened->path.string();
    file.modelName = m_opened->name;
    file.modelHash = m_opened->hash;
    file.configHash = m_opened->configHash;
    file.task = m_opened->task;
    file.sites = m_opened->sites;
    file.calibrationPath = m_calibrationPath.toStdString();
    file.evaluationPath = m_evaluationPath.toStdString();
    file.calibrationContext = m_calibrationOptions.context;
    file.evaluationContext = m_evaluationOptions.context;
    file.calibration = calibrationOf(nullptr);
    file.plan = m_plan;
    file.form = m_form;
    file.forms = usedForms();
    file.snapshots = m_snapshots;
    if (m_sensitivity.value) {
        file.sensitivity = *m_sensitivity.value;
    }
    file.selectedSite = selectedSite.toStdString();
    return file;
}

void Session::restore(const SessionFile& file, std::shared_ptr<const Model> model,
    std::shared_ptr<const DataSource> calibrationData, std::shared_ptr<const DataSource> evaluationData)
{
    openModel(std::move(model));
    m_calibrationData = std::move(calibrationData);
    m_evaluationData = std::move(evaluationData);
    m_calibrationPath = QString::fromStdString(file.calibrationPath);
    m_evaluationPath = QString::fromStdString(file.evaluationPath);
    m_calibrationOptions.context = file.calibrationContext;
    m_evaluationOptions.context = file.evaluationContext;
    if (file.calibration) {
        m_calibrations[nullptr] = file.calibration;
    }
    for (const SessionForm& form : file.forms) {
        if (form.calibration) {
            m_calibrations[form.form] = form.calibration;
        }
    }
    m_form = file.form;
    m_model = m_form ? m_form->model : m_opened;
    m_calibration = calibrationOf(m_form);
    m_plan = file.plan;
    m_snapshots = file.snapshots;
    if (!file.sensitivity.empty()) {
        m_sensitivity = {std::make_shared<const std::vector<SiteSensitivity>>(file.sensitivity), m_revision};
    }
    emit formChanged();
    emit dataChanged();
    emit calibrationChanged();
    emit sensitivityChanged();
    emit snapshotsChanged();
}

bool Session::isErrorFresh(const std::string& site) const
{
    if (!m_siteErrors.value) {
        return false;
    }
    const auto changed = m_changedAt.find(site);
    return changed == m_changedAt.end() || changed->second <= m_siteErrors.revision;
}

void Session::edit(const ChoiceMap& choices, const QString& text, int gesture)
{
    std::map<std::string, std::optional<SiteChoice>> before;
    std::map<std::string, std::optional<SiteChoice>> after;
    for (const auto& [site, choice] : choices) {
        const SiteChoice* present = m_plan.find(site);
        if (present == nullptr || !(*present == choice)) {
            before[site] = present == nullptr ? std::nullopt : std::optional(*present);
            after[site] = choice;
        }
    }
    if (!after.empty() && !isReadOnly()) {
        m_undoStack.push(new ChangeChoicesCommand(this, std::move(before), std::move(after), text, gesture));
    }
}

void Session::abortGesture(int gesture)
{
    const int top = m_undoStack.index() - 1;
    if (top < 0) {
        return;
    }
    const auto* command = dynamic_cast<const ChangeChoicesCommand*>(m_undoStack.command(top));
    if (command != nullptr && command->gesture() == gesture) {
        // Merging the way back makes the step a change of nothing, which the stack then drops.
        m_undoStack.push(command->inverse());
    }
}

void Session::replacePlan(const Plan& plan, const QString& text)
{
    std::map<std::string, std::optional<SiteChoice>> before;
    std::map<std::string, std::optional<SiteChoice>> after;
    for (const auto& [site, choice] : m_plan.choices) {
        if (plan.find(site) == nullptr) {
            before[site] = choice;
            after[site] = std::nullopt;
        }
    }
    for (const auto& [site, choice] : plan.choices) {
        const SiteChoice* present = m_plan.find(site);
        if (present == nullptr || !(*present == choice)) {
            before[site] = present == nullptr ? std::nullopt : std::optional(*present);
            after[site] = choice;
        }
    }
    if (!after.empty() && !isReadOnly()) {
        m_undoStack.push(new ChangeChoicesCommand(this, std::move(before), std::move(after), text, 0));
    }
}

void Session::replace(const Plan& plan, std::shared_ptr<const ModelForm> form, const QString& text)
{
    if (form == m_form) {
        replacePlan(plan, text);
    } else if (!isReadOnly()) {
        m_undoStack.push(new ChangeFormCommand(this, {m_plan, m_form}, {plan, std::move(form)}, text));
    }
}

void Session::publishCalibration(
    std::shared_ptr<const Calibration> calibration, std::shared_ptr<const ModelForm> form)
{
    // Forms that neither the history nor a snapshot refers to any more.
    std::erase_if(
        m_calibrations, [](const auto& entry) { return entry.first && entry.first.use_count() == 1; });
    const bool isPresent = form == m_form;
    m_calibrations[std::move(form)] = calibration;
    if (isPresent) {
        m_calibration = std::move(calibration);
        emit calibrationChanged();
    }
}

void Session::publishReference(std::shared_ptr<const Fp32Reference> reference)
{
    m_reference = std::move(reference);
}

void Session::publishEvaluation(std::shared_ptr<const Evaluation> evaluation, const Plan& plan, int revision,
    std::shared_ptr<const ModelForm> form)
{
    const auto kept = std::ranges::find_if(m_snapshots,
        [&](const Snapshot& snapshot) { return snapshot.form == form && snapshot.plan == plan; });
    if (kept != m_snapshots.end()) {
        kept->evaluation = evaluation;
    } else if (evaluation && m_opened) {
        const Model& model = form ? *form->model : *m_opened;
        m_snapshots.push_back({suggestedName(plan, form.get()).toStdString(), plan, planFigures(model, plan),
            evaluation, std::move(form)});
    }
    m_evaluation = {std::move(evaluation), revision};
    emit snapshotsChanged();
    emit evaluationChanged();
}

void Session::addSnapshot(const QString& name)
{
    m_snapshots.push_back({name.toStdString(), m_plan, planFigures(*m_model, m_plan), nullptr, m_form});
    emit snapshotsChanged();
}

void Session::renameSnapshot(int index, const QString& name)
{
    m_snapshots.at(static_cast<std::size_t>(index)).name = name.toStdString();
    emit snapshotsChanged();
}

void Session::removeSnapshot(int index)
{
    m_snapshots.erase(m_snapshots.begin() + index);
    emit snapshotsChanged();
}

QString Session::suggestedName(const Plan& plan, const ModelForm* form) const
{
    if (form != nullptr) {
        return QStringLiteral("%1 (%2)").arg(QString::fromStdString(form->name)).arg(m_snapshots.size() + 1);
    }
    const PlanFigures figures = planFigures(*m_opened, plan);
    return QStringLiteral("W%1 A%2 (%3)")
        .arg(QString::number(figures.weightBits, 'g', 3), QString::number(figures.activationBits, 'g', 3))
        .arg(m_snapshots.size() + 1);
}

void Session::publishSiteErrors(std::shared_ptr<const SiteErrors> errors, int revision)
{
    m_siteErrors = {std::move(errors), revision};
    emit siteErrorsChanged();
}

void Session::publishSiteTimes(std::shared_ptr<const SiteTimes> times)
{
    m_siteTimes = std::move(times);
    emit siteTimesChanged();
}

void Session::publishSensitivity(std::shared_ptr<const std::vector<SiteSensitivity>> results, int revision)
{
    m_sensitivity = {std::move(results), revision};
    emit sensitivityChanged();
}

QStringList Session::staleSensitivities() const
{
    QStringList stale;
    if (m_sensitivity.value) {
        for (const SiteSensitivity& result : *m_sensitivity.value) {
            SiteChoice choice = sensitivityChoice(m_plan, result.site, result.kind, defaultFallback());
            if (!result.atPlannedBits) {
                choice.bits = result.bits;
            }
            if (!(choice == result.choice) && !stale.contains(QString::fromStdString(result.site))) {
                stale << QString::fromStdString(result.site);
            }
        }
    }
    return stale;
}

void Session::apply(const std::map<std::string, std::optional<SiteChoice>>& choices)
{
    QStringList changed;
    for (const auto& [site, choice] : choices) {
        if (choice) {
            m_plan.choices[site] = *choice;
        } else {
            m_plan.choices.erase(site);
        }
        changed.append(QString::fromStdString(site));
    }
    ++m_revision;
    for (const auto& [site, choice] : choices) {
        m_changedAt[site] = m_revision;
    }
    emit choicesChanged(changed);
}

void Session::apply(const Plan& plan, std::shared_ptr<const ModelForm> form)
{
    m_form = std::move(form);
    m_model = m_form ? m_form->model : m_opened;
    m_calibration = calibrationOf(m_form);
    m_plan = plan;
    m_siteErrors = {};
    m_changedAt.clear();
    ++m_revision;
    QStringList all;
    for (const Site& site : m_model->sites) {
        all.append(QString::fromStdString(site.name));
    }
    emit formChanged();
    emit calibrationChanged();
    emit choicesChanged(all);
}

} // namespace qs
