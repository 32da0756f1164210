#include "app/jobs/document_files.h"

#include "core/base/error.h"
#include "core/eval/calibrate.h"
#include "core/io/caching_source.h"

#include <QCoreApplication>

namespace qs {

namespace {

constexpr std::size_t kCacheBytes = std::size_t {1} << 30U; ///< per data source

QString tr(const char* text)
{
    return QCoreApplication::translate("DocumentFiles", text);
}

/// The data at `path`, when it is still there and still what `hash` says ("" says nothing).
std::shared_ptr<const DataSource> reopened(const std::string& path, std::int64_t dataContext,
    const std::string& hash, const Model& model, QStringList& notices)
{
    if (path.empty()) {
        return nullptr;
    }
    try {
        auto data = openCached(path, model, {.context = dataContext});
        if (hash.empty() || data->hash() == hash) {
            return data;
        }
        notices << tr("%1 is not what the statistics were made of.").arg(QString::fromStdString(path));
    } catch (const Error& error) {
        notices << QString::fromStdString(error.what());
    }
    return nullptr;
}

} // namespace

std::shared_ptr<const DataSource> openCached(
    const std::filesystem::path& path, const Model& model, const DataOptions& options)
{
    return std::make_shared<CachingSource>(openData(path, model, options), kCacheBytes);
}

OpenedSession openedSession(const std::filesystem::path& file, const std::filesystem::path& modelPath)
{
    OpenedSession opened;
    opened.file = loadSession(file);
    const std::string path = modelPath.empty() ? opened.file.modelPath : modelPath.string();
    try {
        auto model = loadModel(path);
        if (model->hash != opened.file.modelHash) {
            throw Error(ErrorCode::InvalidArgument, "it is another model than the session's");
        }
        opened.model = std::move(model);
    } catch (const Error& error) {
        opened.model = placeholderModel(opened.file);
        restoreForms(opened.file, opened.model);
        opened.notices << tr("Read-only, without the model %1: %2")
                              .arg(QString::fromStdString(path), QString::fromStdString(error.what()));
        return opened;
    }
    restoreForms(opened.file, opened.model);
    const std::string hash = opened.file.calibration ? opened.file.calibration->dataHash : std::string();
    const SessionFile& stated = opened.file;
    opened.calibrationData
        = reopened(stated.calibrationPath, stated.calibrationContext, hash, *opened.model, opened.notices);
    opened.evaluationData
        = reopened(stated.evaluationPath, stated.evaluationContext, {}, *opened.model, opened.notices);
    return opened;
}

OpenedRecipe openedRecipe(const std::filesystem::path& file, const std::shared_ptr<const Model>& model,
    const std::shared_ptr<const DataSource>& data, const TaskContext& context)
{
    OpenedRecipe opened {readRecipe(file), nullptr, nullptr};
    if (!opened.recipe.rewriting.isEmpty()) {
        opened.form = formOf(opened.recipe, file.stem().string(), model, context);
        if (data) {
            opened.calibration = calibrate(opened.form->model, *data, 0, context);
        }
    }
    return opened;
}

} // namespace qs
