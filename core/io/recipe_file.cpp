#include "core/io/recipe_file.h"

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/version.h"
#include "core/io/json_reader.h"
#include "core/io/json_text.h"
#include "core/io/plan_json.h"
#include "core/io/recipe_constants.h"
#include "core/io/rewriting_json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace qs {

namespace {

using Json = nlohmann::json;

constexpr const char* kFormat = "quantoscope-recipe";
constexpr std::int64_t kFormatVersion = 1;
/// Of recipes that rewrite the model: programs that know version 1 alone must not take them for plain ones.
constexpr std::int64_t kRewritingVersion = 2;
constexpr std::int64_t kShiftVersion = 3; ///< likewise, of recipes that shift activations

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

std::array<double, 3> threeNumbers(const JsonReader& reader)
{
    const std::vector<JsonReader> elements = reader.elements();
    if (elements.size() != 3) {
        reader.fail(
            "has " + std::to_string(elements.size()) + " numbers, not one for each of red, green and blue");
    }
    return {elements[0].number(), elements[1].number(), elements[2].number()};
}

Preprocessing preprocessingFrom(const JsonReader& reader)
{
    constexpr std::int64_t kLargestSide = 1 << 16;
    reader.warnAboutOthers({"height", "width", "resize_shorter", "resampling", "mean", "std"});
    Preprocessing p;
    p.height = reader.member("height").integer(1, kLargestSide);
    p.width = reader.member("width").integer(1, kLargestSide);
    p.resizeShorter = reader.member("resize_shorter").integer(0, kLargestSide);
    p.mean = threeNumbers(reader.member("mean"));
    p.standardDeviation = threeNumbers(reader.member("std"));
    if (std::ranges::any_of(p.standardDeviation, [](double x) { return x <= 0.0; })) {
        reader.member("std").fail("has a number that is not above 0");
    }
    const std::string resampling = reader.member("resampling").string();
    for (const Resampling candidate : {Resampling::Nearest, Resampling::Bilinear, Resampling::Bicubic}) {
        if (resampling == nameOf(candidate)) {
            p.resampling = candidate;
            return p;
        }
    }
    reader.member("resampling").fail("is none of nearest, bilinear, bicubic");
}

/// Where the rewritten constants lie: beside the recipe.
struct ConstantsFile
{
    std::string name;
    std::string hash;
};

std::optional<ConstantsFile> rewritingFrom(const JsonReader& reader, Rewriting& rewriting)
{
    reader.warnAboutOthers({"reparameterizations", "constants", "shifts"});
    for (const JsonReader& shifts : reader.optionalMember("shifts")) {
        rewriting.shifts = shiftsFrom(shifts);
    }
    rewriting.reparameterizations = reparameterizationsFrom(reader.member("reparameterizations"));
    for (const JsonReader& constants : reader.optionalMember("constants")) {
        constants.warnAboutOthers({"file", "sha256"});
        ConstantsFile file {constants.member("file").string(), constants.member("sha256").string()};
        if (file.name.empty() || std::filesystem::path(file.name).filename() != file.name) {
            constants.member("file").fail("is not the plain name of a file beside the recipe");
        }
        return file;
    }
    return std::nullopt;
}

std::filesystem::path constantsPath(const std::filesystem::path& recipe)
{
    std::filesystem::path path = recipe;
    return path.replace_extension(".constants.h5");
}

struct ParsedRecipe
{
    Recipe recipe;
    std::optional<ConstantsFile> constants;
};

ParsedRecipe recipeFrom(const JsonReader& root)
{
    const std::string format = root.member("format").string();
    if (format != kFormat) {
        root.member("format").fail("is " + quotedName(format) + ", not '" + kFormat + "'");
    }
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
    const std::int64_t version = root.member("format_version").integer(0, kMost);
    if (version < kFormatVersion || version > kShiftVersion) {
        throw Error(ErrorCode::Unsupported,
            "its format version is " + std::to_string(version) + ", this program reads "
                + std::to_string(kFormatVersion) + " to " + std::to_string(kShiftVersion));
    }
    root.warnAboutOthers({"format", "format_version", "tool_version", "model", "calibration", "preprocessing",
        "plan", "quantizers", "rewriting", "seed"});
    ParsedRecipe parsed;
    Recipe& recipe = parsed.recipe;
    recipe.toolVersion = root.member("tool_version").string();
    const JsonReader model = root.member("model");
    recipe.modelName = model.member("name").string();
    recipe.modelHash = model.member("hash").string();
    const JsonReader calibration = root.member("calibration");
    recipe.calibrationHash = calibration.member("hash").string();
    recipe.calibrationSamples = calibration.member("samples").integer(0, kMost);
    for (const JsonReader& preparation : calibration.optionalMember("preparation")) {
        recipe.calibrationPreparation = preparation.string();
    }
    for (const JsonReader& seed : root.optionalMember("seed")) {
        recipe.seed = seed.integer(0, kMost);
    }
    for (const JsonReader& preprocessing : root.optionalMember("preprocessing")) {
        recipe.preprocessing = preprocessingFrom(preprocessing);
    }
    recipe.plan = planFrom(root.member("plan"));
    recipe.quantizers = quantizersFrom(root.member("quantizers"));
    for (const JsonReader& rewriting : root.optionalMember("rewriting")) {
        if (version < kRewritingVersion) {
            rewriting.fail("does not belong into a recipe of version " + std::to_string(version));
        }
        parsed.constants = rewritingFrom(rewriting, recipe.rewriting);
        if (version < kShiftVersion && !recipe.rewriting.shifts.empty()) {
            rewriting.member("shifts").fail(
                "does not belong into a recipe of version " + std::to_string(version));
        }
    }
    return parsed;
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
    recipe.calibrationPreparation = calibration.dataPreparation;
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

namespace {

void requireSameWeights(const Recipe& recipe, const Model& model)
{
    if (recipe.modelHash != model.hash) {
        throw Error(ErrorCode::InvalidArgument,
            "the recipe was made for other weights (" + recipe.modelName + ", hash "
                + recipe.modelHash.substr(0, 12) + "…) than those of " + model.name + " (hash "
                + model.hash.substr(0, 12) + "…)");
    }
}

} // namespace

std::shared_ptr<const Model> modelOf(const Recipe& recipe, std::shared_ptr<const Model> model)
{
    requireSameWeights(recipe, *model);
    return rewritten(std::move(model), recipe.rewriting);
}

ResolvedPlan quantizersOf(const Recipe& recipe, const Model& model, const TaskContext& context)
{
    requireSameWeights(recipe, model);
    Plan weights;
    ResolvedPlan resolved;
    for (const Site& site : model.sites) {
        const SiteChoice* choice = recipe.plan.find(site.name);
        if (choice == nullptr || !choice->enabled) {
            continue;
        }
        const auto found = recipe.quantizers.find(site.name);
        if (site.kind == SiteKind::Weight && found == recipe.quantizers.end()) {
            weights.choices[site.name] = *choice;
            continue;
        }
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
    Json calibration {{"hash", recipe.calibrationHash}, {"samples", recipe.calibrationSamples}};
    if (!recipe.calibrationPreparation.empty()) {
        calibration["preparation"] = recipe.calibrationPreparation;
    }
    Json rewriting = nullptr;
    if (!recipe.rewriting.isEmpty()) {
        rewriting = {{"reparameterizations", reparameterizationsAsJson(recipe.rewriting.reparameterizations)},
            {"constants", nullptr}};
    }
    if (!recipe.rewriting.shifts.empty()) {
        rewriting["shifts"] = shiftsAsJson(recipe.rewriting.shifts);
    }
    if (!recipe.rewriting.constants.empty()) {
        const std::filesystem::path file = constantsPath(path);
        writeRecipeConstants(recipe.rewriting.constants, recipe.quantizers, file);
        rewriting["constants"] = {{"file", file.filename().string()}, {"sha256", sha256OfFile(file)}};
    }
    const std::int64_t version = rewriting.is_null() ? kFormatVersion
        : recipe.rewriting.shifts.empty()            ? kRewritingVersion
                                                     : kShiftVersion;
    Json root {{"format", kFormat}, {"format_version", version}, {"tool_version", recipe.toolVersion},
        {"model", {{"name", recipe.modelName}, {"hash", recipe.modelHash}}}, {"calibration", calibration},
        {"preprocessing", recipe.preprocessing ? preprocessingToJson(*recipe.preprocessing) : Json(nullptr)},
        {"plan", planAsJson(recipe.plan)}, {"quantizers", quantizersAsJson(recipe.quantizers)},
        {"seed", recipe.seed}};
    if (!rewriting.is_null()) {
        root["rewriting"] = std::move(rewriting);
    }
    // A file name that is no UTF-8 must not keep a recipe from being written.
    writeFileAtomically(path, root.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

Recipe readRecipe(const std::filesystem::path& path)
{
    const Json root = readJsonFile(path);
    try {
        ParsedRecipe parsed = recipeFrom(JsonReader(root, ""));
        if (parsed.constants) {
            const std::filesystem::path file = path.parent_path() / parsed.constants->name;
            if (sha256OfFile(file) != parsed.constants->hash) {
                throw Error(ErrorCode::CorruptFile,
                    "'" + file.string() + "' is not the file of constants that was written with it");
            }
            parsed.recipe.rewriting.constants = readRecipeConstants(parsed.recipe.quantizers, file);
        }
        return std::move(parsed.recipe);
    } catch (const Error& error) {
        throw Error(error.code(), "'" + path.string() + "' is no recipe: " + error.what());
    }
}

Recipe readPlainRecipe(const std::filesystem::path& path)
{
    Recipe recipe = readRecipe(path);
    if (!recipe.rewriting.isEmpty()) {
        throw Error(ErrorCode::Unsupported,
            "'" + path.string()
                + "' rewrites the model's weights, which only evaluating and exporting it can do");
    }
    return recipe;
}

} // namespace qs
