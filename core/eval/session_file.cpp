#include "core/eval/session_file.h"

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/eval/calibrate.h"
#include "core/eval/session_json.h"
#include "core/io/hdf5_file.h"
#include "core/io/json_text.h"
#include "core/io/recipe_constants.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace qs {

namespace {

constexpr const char* kFormat = "quantoscope-session";
constexpr std::int64_t kVersion = 2; ///< version 1: sensitivities without intervals, no rewritten models; it is still read
constexpr const char* kDocument = "/document";
constexpr const char* kCalibration = "/calibration";

std::string groupOf(std::size_t form, const char* what)
{
    return "/forms/" + std::to_string(form) + "/" + what;
}

/// Puts another value in the place of a form, wherever the session refers to it.
void replaceForm(SessionFile& session, std::size_t index, const std::shared_ptr<const ModelForm>& now)
{
    const std::shared_ptr<const ModelForm> before = std::exchange(session.forms[index].form, now);
    if (session.form == before) {
        session.form = now;
    }
    for (Snapshot& snapshot : session.snapshots) {
        if (snapshot.form == before) {
            snapshot.form = now;
        }
    }
}

void writeForms(Hdf5File& file, const std::vector<SessionForm>& forms)
{
    for (std::size_t i = 0; i < forms.size(); ++i) {
        writeConstants(
            file, groupOf(i, "constants"), forms[i].form->rewriting.constants, forms[i].form->quantizers);
        if (forms[i].calibration) {
            writeCalibration(file, groupOf(i, "calibration"), *forms[i].calibration);
        }
    }
}

void readForms(const Hdf5File& file, SessionFile& session, const std::string& name)
{
    for (std::size_t i = 0; i < session.forms.size(); ++i) {
        auto form = std::make_shared<ModelForm>(*session.forms[i].form);
        form->rewriting.constants = readConstants(file, groupOf(i, "constants"), form->quantizers, name);
        replaceForm(session, i, form);
        if (file.exists(groupOf(i, "calibration"))) {
            session.forms[i].calibration = readCalibration(file, groupOf(i, "calibration"), name);
        }
    }
}

} // namespace

void saveSession(const SessionFile& session, const std::filesystem::path& path)
{
    AtomicFile atomic(path);
    Hdf5File file = Hdf5File::create(atomic.temporaryPath());
    file.writeString("/", "format", kFormat);
    file.writeInteger("/", "version", kVersion);
    file.writeText(kDocument, sessionAsJson(session).dump());
    if (session.calibration) {
        writeCalibration(file, kCalibration, *session.calibration);
    }
    writeForms(file, session.forms);
    file.close();
    atomic.commit();
}

SessionFile loadSession(const std::filesystem::path& path)
{
    const Hdf5File file = Hdf5File::openForReading(path);
    const std::string name = path.filename().string();
    if (!file.hasAttribute("/", "format") || file.readString("/", "format") != kFormat) {
        throw Error(ErrorCode::CorruptFile, name + " is no session file");
    }
    const std::int64_t version = file.readInteger("/", "version");
    if (version < 1 || version > kVersion) {
        throw Error(ErrorCode::Unsupported,
            name + " is a session file of version " + std::to_string(version) + ", versions 1 to "
                + std::to_string(kVersion) + " are read");
    }
    const nlohmann::json document = parseJson(file.readText(kDocument), path);
    SessionFile session;
    try {
        session = sessionFrom(JsonReader(document, ""));
    } catch (const Error& error) {
        throw Error(error.code(), name + ": " + error.what());
    }
    if (file.exists(kCalibration)) {
        session.calibration = readCalibration(file, kCalibration, name);
    }
    readForms(file, session, name);
    return session;
}

void restoreForms(SessionFile& session, const std::shared_ptr<const Model>& opened)
{
    const bool isPlaceholder = opened->graph->nodes().empty();
    for (std::size_t i = 0; i < session.forms.size(); ++i) {
        auto form = std::make_shared<ModelForm>(*session.forms[i].form);
        form->opened = opened;
        form->model = isPlaceholder ? opened : rewritten(opened, form->rewriting);
        replaceForm(session, i, form);
    }
}

std::shared_ptr<const Model> placeholderModel(const SessionFile& session)
{
    auto model = std::make_shared<Model>();
    model->path = session.modelPath;
    model->name = session.modelName;
    model->hash = session.modelHash;
    model->configHash = session.configHash;
    model->task = session.task;
    model->sites = session.sites;
    model->graph = std::make_shared<const Graph>();
    return model;
}

} // namespace qs
