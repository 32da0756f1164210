#include "core/eval/session_json.h"

#include "core/eval/sensitivity_json.h"
#include "core/io/plan_json.h"
#include "core/io/rewriting_json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace qs {

namespace {

constexpr std::int64_t kMost = std::int64_t {1} << 53U; ///< what every reader of JSON takes as a whole number
constexpr std::array kTasks {ModelTask::Classification, ModelTask::LanguageModel, ModelTask::Features};
constexpr std::array kTaskNames {"classification", "language-model", "features"};
constexpr const char* kCalibrationContext = "calibration_context";
constexpr const char* kEvaluationContext = "evaluation_context";

/// JSON has no infinity: an SQNR of equal values is null.
nlohmann::json decibel(double value)
{
    return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

double decibelFrom(const JsonReader& object, const char* key)
{
    const auto found = object.optionalMember(key);
    return found.empty() ? std::numeric_limits<double>::infinity() : found.front().number();
}

nlohmann::json siteAsJson(const Site& site)
{
    return {{"name", site.name}, {"layer", site.layer}, {"block", site.block},
        {"kind", site.kind == SiteKind::Weight ? "weight" : "activation"}, {"role", nameOf(site.role)},
        {"axis", site.groupAxis == GroupAxis::Head ? "head" : "channel"}, {"groups", site.groups},
        {"weight_axis", site.weightAxis}};
}

Role roleFrom(const JsonReader& reader)
{
    const std::string text = reader.string();
    for (int role = 0; role <= static_cast<int>(Role::Other); ++role) {
        if (nameOf(static_cast<Role>(role)) == text) {
            return static_cast<Role>(role);
        }
    }
    reader.fail("is '" + text + "', which is no role");
}

bool isFirst(const JsonReader& reader, std::string_view first, std::string_view second)
{
    const std::string text = reader.string();
    if (text != first && text != second) {
        reader.fail(
            "is '" + text + "' instead of '" + std::string(first) + "' or '" + std::string(second) + "'");
    }
    return text == first;
}

Site siteFrom(const JsonReader& reader)
{
    Site site;
    site.name = reader.member("name").string();
    site.layer = reader.member("layer").string();
    site.block = reader.member("block").string();
    site.kind
        = isFirst(reader.member("kind"), "weight", "activation") ? SiteKind::Weight : SiteKind::Activation;
    site.role = roleFrom(reader.member("role"));
    site.groupAxis = isFirst(reader.member("axis"), "head", "channel") ? GroupAxis::Head : GroupAxis::Channel;
    site.groups = reader.member("groups").integer(0, kMost);
    site.weightAxis = static_cast<int>(reader.member("weight_axis").integer(0, 7));
    return site;
}

nlohmann::json metricsAsJson(const Metrics& metrics)
{
    nlohmann::json json {{"samples", metrics.samples}, {"tokens", metrics.tokens},
        {"agreement", metrics.agreementPercent}, {"kl", metrics.klNats},
        {"sqnr_db", decibel(metrics.logitsSqnrDb)}};
    const auto put = [&json](const char* key, const std::optional<double>& value) {
        if (value) {
            json[key] = *value;
        }
    };
    put("top1", metrics.top1Percent);
    put("top5", metrics.top5Percent);
    put("nll", metrics.nllNats);
    return json;
}

Metrics metricsFrom(const JsonReader& reader)
{
    const auto optional = [&reader](const char* key) {
        const auto found = reader.optionalMember(key);
        return found.empty() ? std::nullopt : std::optional(found.front().number());
    };
    Metrics metrics;
    metrics.samples = reader.member("samples").integer(0, kMost);
    metrics.tokens = reader.member("tokens").integer(0, kMost);
    metrics.agreementPercent = reader.member("agreement").number();
    metrics.klNats = reader.member("kl").number();
    metrics.logitsSqnrDb = decibelFrom(reader, "sqnr_db");
    metrics.top1Percent = optional("top1");
    metrics.top5Percent = optional("top5");
    metrics.nllNats = optional("nll");
    return metrics;
}

nlohmann::json evaluationAsJson(const Evaluation& evaluation)
{
    nlohmann::json layers = nlohmann::json::object();
    for (const auto& [layer, sqnr] : evaluation.layerSqnrDb) {
        layers[layer] = decibel(sqnr);
    }
    nlohmann::json outcomes = nlohmann::json::array();
    for (const SampleOutcome& o : evaluation.outcomes) {
        outcomes.push_back({{"sample", o.sample}, {"rows", o.rows}, {"changed_rows", o.changedRows},
            {"row", o.row}, {"reference", o.referenceClass}, {"quantized", o.quantizedClass},
            {"reference_probability", o.referenceProbability},
            {"quantized_probability", o.quantizedProbability}});
    }
    return {{"metrics", metricsAsJson(evaluation.metrics)}, {"layers", layers}, {"outcomes", outcomes}};
}

SampleOutcome outcomeFrom(const JsonReader& reader)
{
    constexpr int kClasses = std::numeric_limits<int>::max();
    SampleOutcome outcome;
    outcome.sample = reader.member("sample").integer(0, kMost);
    outcome.rows = reader.member("rows").integer(1, kMost);
    outcome.changedRows = reader.member("changed_rows").integer(0, outcome.rows);
    outcome.row = reader.member("row").integer(0, outcome.rows - 1);
    outcome.referenceClass = static_cast<int>(reader.member("reference").integer(0, kClasses));
    outcome.quantizedClass = static_cast<int>(reader.member("quantized").integer(0, kClasses));
    outcome.referenceProbability = static_cast<float>(reader.member("reference_probability").number());
    outcome.quantizedProbability = static_cast<float>(reader.member("quantized_probability").number());
    return outcome;
}

std::shared_ptr<const Evaluation> evaluationFrom(const JsonReader& reader)
{
    auto evaluation = std::make_shared<Evaluation>();
    evaluation->metrics = metricsFrom(reader.member("metrics"));
    const JsonReader layers = reader.member("layers");
    for (const auto& [layer, value] : layers.members()) {
        evaluation->layerSqnrDb[layer] = decibelFrom(layers, layer.c_str());
    }
    for (const JsonReader& outcome : reader.member("outcomes").elements()) {
        evaluation->outcomes.push_back(outcomeFrom(outcome));
    }
    return evaluation;
}

/// A form without its constants, which are not for JSON.
nlohmann::json formAsJson(const ModelForm& form)
{
    return {{"name", form.name}, {"seed", form.seed}, {"plan", planAsJson(form.plan)},
        {"quantizers", quantizersAsJson(form.quantizers)},
        {"reparameterizations", reparameterizationsAsJson(form.rewriting.reparameterizations)},
        {"shifts", shiftsAsJson(form.rewriting.shifts)}};
}

SessionForm formFrom(const JsonReader& reader)
{
    auto form = std::make_shared<ModelForm>();
    form->name = reader.member("name").string();
    form->seed = reader.member("seed").integer(0, std::numeric_limits<std::int64_t>::max());
    form->plan = planFrom(reader.member("plan"));
    form->quantizers = quantizersFrom(reader.member("quantizers"));
    form->rewriting.reparameterizations = reparameterizationsFrom(reader.member("reparameterizations"));
    for (const JsonReader& shifts : reader.optionalMember("shifts")) {
        form->rewriting.shifts = shiftsFrom(shifts);
    }
    return {std::move(form), nullptr};
}

/// Which of the forms it is; null for the model as it was opened.
nlohmann::json formIndex(const std::vector<SessionForm>& forms, const std::shared_ptr<const ModelForm>& form)
{
    const auto found = std::ranges::find(forms, form, &SessionForm::form);
    return found == forms.end() ? nlohmann::json(nullptr) : nlohmann::json(found - forms.begin());
}

std::shared_ptr<const ModelForm> formAt(const JsonReader& object, const std::vector<SessionForm>& forms)
{
    const auto found = object.optionalMember("form");
    if (found.empty()) {
        return nullptr;
    }
    if (forms.empty()) {
        found.front().fail("names a form, of which there are none");
    }
    const auto last = static_cast<std::int64_t>(forms.size()) - 1;
    return forms[static_cast<std::size_t>(found.front().integer(0, last))].form;
}

nlohmann::json snapshotAsJson(const Snapshot& snapshot, const std::vector<SessionForm>& forms)
{
    nlohmann::json json {{"name", snapshot.name}, {"plan", planAsJson(snapshot.plan)},
        {"weight_bits", snapshot.figures.weightBits}, {"activation_bits", snapshot.figures.activationBits},
        {"bytes", snapshot.figures.bytes}};
    if (snapshot.form) {
        json["form"] = formIndex(forms, snapshot.form);
    }
    if (snapshot.evaluation) {
        json["evaluation"] = evaluationAsJson(*snapshot.evaluation);
    }
    return json;
}

Snapshot snapshotFrom(const JsonReader& reader, const std::vector<SessionForm>& forms)
{
    Snapshot snapshot;
    snapshot.form = formAt(reader, forms);
    snapshot.name = reader.member("name").string();
    snapshot.plan = planFrom(reader.member("plan"));
    snapshot.figures.weightBits = reader.member("weight_bits").number();
    snapshot.figures.activationBits = reader.member("activation_bits").number();
    snapshot.figures.bytes = reader.member("bytes").integer(0, kMost);
    for (const JsonReader& evaluation : reader.optionalMember("evaluation")) {
        snapshot.evaluation = evaluationFrom(evaluation);
    }
    return snapshot;
}

} // namespace

nlohmann::json sessionAsJson(const SessionFile& session)
{
    nlohmann::json sites = nlohmann::json::array();
    for (const Site& site : session.sites) {
        sites.push_back(siteAsJson(site));
    }
    nlohmann::json snapshots = nlohmann::json::array();
    for (const Snapshot& snapshot : session.snapshots) {
        snapshots.push_back(snapshotAsJson(snapshot, session.forms));
    }
    nlohmann::json sensitivity = nlohmann::json::array();
    for (const SiteSensitivity& result : session.sensitivity) {
        sensitivity.push_back(sensitivityAsJson(result));
    }
    nlohmann::json json {{"model",
                             {{"path", session.modelPath}, {"name", session.modelName},
                                 {"hash", session.modelHash}, {"config_hash", session.configHash},
                                 {"task", kTaskNames[static_cast<std::size_t>(session.task)]}}},
        {"calibration_data", session.calibrationPath}, {"evaluation_data", session.evaluationPath},
        {"sites", sites}, {"plan", planAsJson(session.plan)}, {"snapshots", snapshots},
        {"sensitivity", sensitivity}, {"selected_site", session.selectedSite}};
    for (const auto& [key, context] : {std::pair(kCalibrationContext, session.calibrationContext),
             std::pair(kEvaluationContext, session.evaluationContext)}) {
        if (context > 0) {
            json[key] = context;
        }
    }
    if (!session.forms.empty()) {
        json["forms"] = nlohmann::json::array();
        for (const SessionForm& form : session.forms) {
            json["forms"].push_back(formAsJson(*form.form));
        }
        json["form"] = formIndex(session.forms, session.form);
    }
    return json;
}

SessionFile sessionFrom(const JsonReader& reader)
{
    SessionFile session;
    const JsonReader model = reader.member("model");
    session.modelPath = model.member("path").string();
    session.modelName = model.member("name").string();
    session.modelHash = model.member("hash").string();
    session.configHash = model.member("config_hash").string();
    const std::string task = model.member("task").string();
    const auto known = std::find(kTaskNames.begin(), kTaskNames.end(), task);
    if (known == kTaskNames.end()) {
        model.member("task").fail("is '" + task + "', which is no task");
    }
    session.task = kTasks[static_cast<std::size_t>(known - kTaskNames.begin())];
    session.calibrationPath = reader.member("calibration_data").string();
    session.evaluationPath = reader.member("evaluation_data").string();
    for (const auto& [key, context] : {std::pair(kCalibrationContext, &session.calibrationContext),
             std::pair(kEvaluationContext, &session.evaluationContext)}) {
        for (const JsonReader& given : reader.optionalMember(key)) {
            *context = given.integer(1, kMost);
        }
    }
    for (const JsonReader& site : reader.member("sites").elements()) {
        session.sites.push_back(siteFrom(site));
    }
    session.plan = planFrom(reader.member("plan"));
    for (const JsonReader& forms : reader.optionalMember("forms")) {
        for (const JsonReader& form : forms.elements()) {
            session.forms.push_back(formFrom(form));
        }
    }
    session.form = formAt(reader, session.forms);
    for (const JsonReader& snapshot : reader.member("snapshots").elements()) {
        session.snapshots.push_back(snapshotFrom(snapshot, session.forms));
    }
    for (const JsonReader& result : reader.member("sensitivity").elements()) {
        session.sensitivity.push_back(sensitivityFrom(result));
    }
    session.selectedSite = reader.member("selected_site").string();
    return session;
}

} // namespace qs
