#include "core/io/recipe_file.h"

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/version.h"
#include "core/io/json_text.h"
#include "core/io/plan_json.h"

#include <nlohmann/json.hpp>

#include <cmath>

namespace qs {

namespace {

using Json = nlohmann::json;

constexpr const char* kFormat = "quantoscope-recipe";
constexpr std::int64_t kFormatVersion = 1;

const char* nameOf(Resampling resampling)
{
    switch (resampling) {
    case Resampling::Nearest: return "nearest";
    case Resampling::Bilinear: return "bilinear";
    case Resampling::Bicubic: return "bicubic";
    }
    return "bicubic";
}

Json preprocessingToJson(const Preprocessing& p)
{
    return {{"height", p.height}, {"width", p.width}, {"resize_shorter", p.resizeShorter},
        {"resampling", nameOf(p.resampling)}, {"mean", p.mean}, {"std", p.standardDeviation}};
}

Preprocessing preprocessingFromJson(const Json& object)
{
    Preprocessing p;
    p.height = object.at("height").get<std::int64_t>();
    p.width = object.at("width").get<std::int64_t>();
    p.resizeShorter = object.at("resize_shorter").get<std::int64_t>();
    p.mean = object.at("mean").get<std::array<double, 3>>();
    p.standardDeviation = object.at("std").get<std::array<double, 3>>();
    const auto resampling = object.at("resampling").get<std::string>();
    for (const Resampling candidate : {Resampling::Nearest, Resampling::Bilinear, Resampling::Bicubic}) {
        if (resampling == nameOf(candidate)) {
            p.resampling = candidate;
            return p;
        }
    }
    throw Error(ErrorCode::CorruptFile, "'resampling' is " + quotedName(resampling));
}

Recipe recipeFromJson(const Json& root)
{
    if (!root.is_object() || root.value("format", std::string()) != kFormat) {
        throw Error(ErrorCode::CorruptFile, std::string("'format' is not '") + kFormat + "'");
    }
    const auto version = root.at("format_version").get<std::int64_t>();
    if (version != kFormatVersion) {
        throw Error(ErrorCode::Unsupported, "format version " + std::to_string(version) + " is not known");
    }
    Recipe recipe;
    recipe.toolVersion = root.at("tool_version").get<std::string>();
    const Json& model = root.at("model");
    recipe.modelName = model.at("name").get<std::string>();
    recipe.modelHash = model.at("hash").get<std::string>();
    const Json& calibration = root.at("calibration");
    recipe.calibrationHash = calibration.at("hash").get<std::string>();
    recipe.calibrationSamples = calibration.at("samples").get<std::int64_t>();
    if (root.contains("preprocessing") && !root.at("preprocessing").is_null()) {
        recipe.preprocessing = preprocessingFromJson(root.at("preprocessing"));
    }
    recipe.plan = planFromJson(root.at("plan").dump());
    recipe.quantizers = quantizersFromJson(root.at("quantizers").dump());
    return recipe;
}

} // namespace

Recipe makeRecipe(
    const Model& model, const Calibration& calibration, const Plan& plan, const TaskContext& context)
{
    Recipe recipe;
    recipe.plan = plan;
    recipe.modelName = model.name;
    recipe.modelHash = model.hash;
    recipe.calibrationHash = calibration.dataHash;
    recipe.calibrationSamples = calibration.sampleCount;
    recipe.preprocessing = model.preprocessing;
    recipe.toolVersion = kVersion;
    Plan activations;
    for (const Site& site : model.sites) {
        const SiteChoice* choice = plan.find(site.name);
        if (site.kind == SiteKind::Activation && choice != nullptr) {
            activations.choices[site.name] = *choice;
        }
    }
    recipe.quantizers = resolvePlan(model, activations, calibration, context);
    return recipe;
}

ResolvedPlan quantizersOf(const Recipe& recipe, const Model& model, const TaskContext& context)
{
    if (recipe.modelHash != model.hash) {
        throw Error(ErrorCode::InvalidArgument,
            "the recipe was made for other weights (" + recipe.modelName + ", hash "
                + recipe.modelHash.substr(0, 12) + "…) than those of " + model.name + " (hash "
                + model.hash.substr(0, 12) + "…)");
    }
    Plan weights;
    ResolvedPlan resolved;
    for (const Site& site : model.sites) {
        const SiteChoice* choice = recipe.plan.find(site.name);
        if (choice == nullptr || !choice->enabled) {
            continue;
        }
        if (site.kind == SiteKind::Weight) {
            weights.choices[site.name] = *choice;
            continue;
        }
        const auto found = recipe.quantizers.find(site.name);
        if (found == recipe.quantizers.end()) {
            throw Error(
                ErrorCode::InvalidArgument, "the recipe has no quantizer for site '" + site.name + "'");
        }
        const std::size_t scales = found->second.scales.size();
        if (scales != 1 && scales != static_cast<std::size_t>(site.groups)) {
            throw Error(ErrorCode::InvalidArgument,
                "the recipe has " + std::to_string(scales) + " scales for the " + std::to_string(site.groups)
                    + " channels or heads of site '" + site.name + "'");
        }
        resolved[site.name] = found->second;
    }
    resolved.merge(resolvePlan(model, weights, {}, context));
    return resolved;
}

void writeRecipe(const Recipe& recipe, const std::filesystem::path& path)
{
    const Json root {{"format", kFormat}, {"format_version", kFormatVersion},
        {"tool_version", recipe.toolVersion},
        {"model", {{"name", recipe.modelName}, {"hash", recipe.modelHash}}},
        {"calibration", {{"hash", recipe.calibrationHash}, {"samples", recipe.calibrationSamples}}},
        {"preprocessing", recipe.preprocessing ? preprocessingToJson(*recipe.preprocessing) : Json(nullptr)},
        {"plan", Json::parse(planToJson(recipe.plan))},
        {"quantizers", Json::parse(quantizersToJson(recipe.quantizers))}};
    writeFileAtomically(path, root.dump(1) + "\n");
}

Recipe readRecipe(const std::filesystem::path& path)
{
    const Json root = readJsonFile(path);
    try {
        return recipeFromJson(root);
    } catch (const Json::exception& error) {
        throw Error(ErrorCode::CorruptFile, "'" + path.string() + "' is no recipe: " + error.what());
    } catch (const Error& error) {
        throw Error(error.code(), "'" + path.string() + "' is no recipe: " + error.what());
    }
}

} // namespace qs
