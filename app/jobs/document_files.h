#pragma once

#include "core/base/task_context.h"
#include "core/eval/session_file.h"
#include "core/io/data_source.h"
#include "core/io/recipe_file.h"

#include <QStringList>

#include <filesystem>
#include <memory>

namespace qs {

/// Data for a model whose decoded samples are kept in memory as far as its budget goes: evaluation reads the
/// same images again and again. Throws Error as openData() does.
[[nodiscard]] std::shared_ptr<const DataSource> openCached(
    const std::filesystem::path& path, const Model& model, const DataOptions& options = {});

/// What a session file leads to.
struct OpenedSession
{
    SessionFile file;
    std::shared_ptr<const Model> model; ///< a placeholderModel() when it is not at hand
    std::shared_ptr<const DataSource> calibrationData;
    std::shared_ptr<const DataSource> evaluationData;
    QStringList notices; ///< what is not at hand, one sentence each
};
/// Opens a session with its model (from `modelPath`, or where the file says when that is empty) and its data.
/// Throws Error when the file itself cannot be read.
[[nodiscard]] OpenedSession openedSession(
    const std::filesystem::path& file, const std::filesystem::path& modelPath);

/// What a recipe leads to: a form of the model where it rewrites it, with the statistics of that.
struct OpenedRecipe
{
    Recipe recipe;
    std::shared_ptr<const ModelForm> form; ///< null: the recipe leaves the model as it is
    std::shared_ptr<const Calibration> calibration; ///< of the form; null without data
};
[[nodiscard]] OpenedRecipe openedRecipe(const std::filesystem::path& file,
    const std::shared_ptr<const Model>& model, const std::shared_ptr<const DataSource>& data,
    const TaskContext& context);

} // namespace qs
