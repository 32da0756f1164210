#pragma once

#include "core/models/model.h"
#include "core/quant/resolve.h"
#include "core/quant/rewriting.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace qs {

/// A plan on disk: everything that reproduces a quantized model from the same files.
struct Recipe
{
    Plan plan;
    /// Of the enabled activation sites, and of weights that a method quantized on its own terms; the other
    /// weights follow from the model and the plan.
    ResolvedPlan quantizers;
    Rewriting rewriting; ///< what the method did to the model
    std::string modelName;
    std::string modelHash; ///< Model::hash
    std::string calibrationHash; ///< Calibration::dataHash
    std::int64_t calibrationSamples = 0;
    std::string calibrationPreparation; ///< Calibration::dataPreparation
    std::optional<Preprocessing> preprocessing;
    std::int64_t seed = 0; ///< of whatever drew samples or numbers on the way; >= 0
    std::string toolVersion; ///< of the program that wrote it
};

/// Resolves the plan on a calibration. Throws Error as resolvePlan() does.
[[nodiscard]] Recipe makeRecipe(
    const Model& model, const Calibration& calibration, const Plan& plan, const TaskContext& context = {});

/// The model that the recipe's quantizers are for: with its rewriting done. Throws Error(InvalidArgument)
/// when the recipe was made for other weights, and what rewritten() throws.
[[nodiscard]] std::shared_ptr<const Model> modelOf(const Recipe& recipe, std::shared_ptr<const Model> model);

/// Quantizers of all enabled sites of modelOf(): from the recipe, the weights that are not in it resolved
/// from the model. Throws Error(InvalidArgument) when the recipe was made for other weights or lacks a site.
[[nodiscard]] ResolvedPlan quantizersOf(
    const Recipe& recipe, const Model& model, const TaskContext& context = {});

/// A recipe's plan for callers that keep the model as it is: throws Error(Unsupported) when the recipe rewrites it, since
/// the plan alone would mean something else.
[[nodiscard]] Recipe readPlainRecipe(const std::filesystem::path& path);

/// JSON with sorted keys and shortest numbers: equal recipes give equal bytes. Rewritten constants go into a
/// second file beside it, "<stem>.constants.h5", which is written first. Each is written atomically. Layout:
/// resources/docs/formats.md. Throws Error(Io).
void writeRecipe(const Recipe& recipe, const std::filesystem::path& path);
/// Reads the constants as well, and refuses a file that is not the one written with the recipe. Unknown keys
/// are logged as warnings and ignored. Throws Error(Io | CorruptFile | Unsupported) naming the file and the
/// path of the value ("plan.head.input.bits").
[[nodiscard]] Recipe readRecipe(const std::filesystem::path& path);

} // namespace qs
