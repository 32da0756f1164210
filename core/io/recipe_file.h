#pragma once

#include "core/models/model.h"
#include "core/quant/resolve.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace qs {

/// A plan on disk: everything that reproduces a quantized model from the same files.
struct Recipe
{
    Plan plan;
    ResolvedPlan quantizers; ///< of the enabled activation sites; weights follow from the model and the plan
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

/// Quantizers of all enabled sites: activations from the recipe, weights resolved from the model. Throws
/// Error(InvalidArgument) when the recipe was made for other weights or lacks a site.
[[nodiscard]] ResolvedPlan quantizersOf(
    const Recipe& recipe, const Model& model, const TaskContext& context = {});

/// JSON with sorted keys and shortest numbers: equal recipes give equal bytes. Written atomically. Layout:
/// resources/docs/formats.md. Throws Error(Io).
void writeRecipe(const Recipe& recipe, const std::filesystem::path& path);
/// Unknown keys are logged as warnings and ignored. Throws Error(Io | CorruptFile | Unsupported) naming the
/// file and the path of the value ("plan.head.input.bits").
[[nodiscard]] Recipe readRecipe(const std::filesystem::path& path);

} // namespace qs
