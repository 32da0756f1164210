#include "app/cli/commands.h"
#include "core/base/error.h"
#include "core/eval/calibrate.h"
#include "core/eval/float_fallback.h"
#include "core/io/json_text.h"
#include "core/io/recipe_file.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <iostream>
#include <limits>
#include <memory>
#include <optional>

namespace qs {

namespace {

struct QuantizeArguments
{
    std::string model;
    std::string calibration;
    std::string preset;
    std::string recipe;
    std::string out;
    std::string norm = "tensor";
    std::string softmax = "uniform";
    std::optional<int> weightBits;
    std::optional<int> activationBits;
    std::string sensitivity;
    double minimumSqnr = 0.0;
};

PresetOptions presetOptions(const QuantizeArguments& arguments)
{
    PresetOptions options;
    if (arguments.preset == "percentile") {
        options.method = BoundMethod::Percentile;
    } else if (arguments.preset == "mse") {
        options.method = BoundMethod::Mse;
    } else if (arguments.preset == "portable-int8") {
        options.symmetry = Symmetry::Symmetric;
        options.weightSymmetry = Symmetry::Symmetric;
    }
    options.normGranularity = arguments.norm == "channel" ? Granularity::Group : Granularity::Tensor;
    if (arguments.softmax == "log2") {
        options.softmaxKind = QuantizerKind::Log2;
    } else if (arguments.softmax == "log-sqrt2") {
        options.softmaxKind = QuantizerKind::LogSqrt2;
    }
    options.weightBits = arguments.weightBits.value_or(8);
    options.activationBits = arguments.activationBits.value_or(8);
    return options;
}

Plan planOf(const QuantizeArguments& arguments, const Model& model)
{
    if (!arguments.preset.empty()) {
        return makePreset(model.sites, presetOptions(arguments));
    }
    Plan plan = readRecipe(arguments.recipe).plan;
    for (const Site& site : model.sites) {
        const auto choice = plan.choices.find(site.name);
        if (choice != plan.choices.end()) {
            const auto& bits
                = site.kind == SiteKind::Weight ? arguments.weightBits : arguments.activationBits;
            choice->second.bits = bits.value_or(choice->second.bits);
        }
    }
    return plan;
}

/// The sensitivities that `sensitivity --json` printed into a file.
std::vector<SiteSensitivity> readSensitivities(const std::string& file)
{
    const nlohmann::json root = readJsonFile(file);
    std::vector<SiteSensitivity> results;
    try {
        for (const auto& site : root.at("sites")) {
            SiteSensitivity result;
            result.site = site.at("site").get<std::string>();
            result.kind
                = site.at("kind").get<std::string>() == "weight" ? SiteKind::Weight : SiteKind::Activation;
            const auto& sqnr = site.at("sqnr_db");
            result.logitsSqnrDb
                = sqnr.is_null() ? std::numeric_limits<double>::infinity() : sqnr.get<double>();
            results.push_back(result);
        }
    } catch (const nlohmann::json::exception& error) {
        throw Error(ErrorCode::CorruptFile, "'" + file + "' holds no sensitivities: " + error.what());
    }
    return results;
}

int execute(const QuantizeArguments& arguments, Console& console)
{
    if (arguments.preset.empty() == arguments.recipe.empty()) {
        throw Error(ErrorCode::InvalidArgument, "quantize wants either --preset or --recipe");
    }
    const auto model = loadModel(arguments.model);
    const auto calibration = loadCalibration(arguments.calibration);
    Plan plan = planOf(arguments, *model);
    if (!arguments.sensitivity.empty()) {
        const FloatFallback fallback
            = fallBackToFloat(model->sites, plan, readSensitivities(arguments.sensitivity), arguments.minimumSqnr);
        plan = fallback.plan;
        std::cout << fallback.sites.size()
                  << " activations stay in floating point; predicted SQNR of the logits "
                  << fixed(fallback.predictedSqnrDb, 2) << " dB\n";
    }
    const Recipe recipe = makeRecipe(*model, *calibration, plan, console.context());
    writeRecipe(recipe, arguments.out);
    std::cout << arguments.out << ": " << recipe.quantizers.size() << " quantizers\n";
    return 0;
}

} // namespace

void declareQuantize(CLI::App& app, CommandAction& action)
{
    auto arguments = std::make_shared<QuantizeArguments>();
    CLI::App* command
        = app.add_subcommand("quantize", "Make a recipe from a preset, or again from another recipe");
    command->add_option("MODEL", arguments->model, "Model directory, .onnx or .h5 file")->required();
    command->add_option("--calibration", arguments->calibration, "Calibration file (.h5)")->required();
    auto* preset = command->add_option("--preset", arguments->preset, "How bounds are found")
                       ->check(CLI::IsMember({"minmax", "percentile", "mse", "portable-int8"}));
    command->add_option("--recipe", arguments->recipe, "Recipe whose plan is resolved on this calibration")
        ->excludes(preset);
    command->add_option("--w-bits", arguments->weightBits, "Bits of all weights")->check(CLI::Range(2, 16));
    command->add_option("--a-bits", arguments->activationBits, "Bits of all activations")
        ->check(CLI::Range(2, 16));
    command->add_option("--norm", arguments->norm, "Scales of LayerNorm outputs: per tensor or per channel")
        ->capture_default_str()
        ->check(CLI::IsMember({"tensor", "channel"}));
    command->add_option("--softmax", arguments->softmax, "Quantizer of the attention probabilities")
        ->capture_default_str()
        ->check(CLI::IsMember({"uniform", "log2", "log-sqrt2"}));
    auto* sensitivity = command->add_option("--sensitivity", arguments->sensitivity,
        "What sensitivity --json printed for this plan: leave the most harmful activations in floating "
        "point");
    command
        ->add_option(
            "--min-sqnr", arguments->minimumSqnr, "…until this SQNR of the logits is predicted, in dB")
        ->needs(sensitivity);
    command->add_option("--out", arguments->out, "Recipe to write (.json)")->required();
    command->callback([arguments, &action] {
        action = [arguments](Console& console) { return execute(*arguments, console); };
    });
}

} // namespace qs
