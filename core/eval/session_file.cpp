#include "core/eval/session_file.h"

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/eval/calibrate.h"
#include "core/eval/session_json.h"
#include "core/io/hdf5_file.h"
#include "core/io/json_text.h"

#include <nlohmann/json.hpp>

namespace qs {

namespace {

constexpr const char* kFormat = "quantoscope-session";
constexpr std::int64_t kVersion = 1;
constexpr const char* kDocument = "/document";
constexpr const char* kCalibration = "/calibration";

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
    if (version != kVersion) {
        throw Error(ErrorCode::Unsupported,
            name + " is a session file of version " + std::to_string(version) + ", only version "
                + std::to_string(kVersion) + " is read");
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
    return session;
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
