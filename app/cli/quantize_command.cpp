#include "app/cli/commands.h"
#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/eval/bit_allocation.h"
#include "core/eval/calibrate.h"
#include "core/eval/float_fallback.h"
#include "core/eval/sensitivity_json.h"
#include "core/io/json_text.h"
#include "core/io/recipe_file.h"
#include "core/methods/method.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

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
    std::string softmax; ///< empty: what the preset or the method has
    std::string gelu; ///< likewise
    std::optional<int> weightBits;
    std::optional<int> activationBits;
    std::string data;
    std::int64_t samples = 32;
    std::vector<std::string> without;
    std::int64_t iterations = MethodOptions().iterations;
    std::int64_t endToEnd = MethodOptions().endToEndIterations;
    std::int64_t views = MethodOptions().views;
    std::int64_t seed = 0;
    std::string resume;
    std::string lossCurve;
    std::string zeroPoint = "rounded";
    std::string sensitivity;
    std::optional<double> minimumSqnr;
    std::optional<double> weightBudget;
    std::optional<double> activationBudget;
};

/// Nothing for a name that is none, as when the option is not given.
std::optional<QuantizerKind> kindNamed(const std::string& name)
{
    const auto known
        = std::ranges::find_if(kQuantizerKinds, [&](QuantizerKind kind) { return nameOf(kind) == name; });
    return known == kQuantizerKinds.end() ? std::nullopt : std::optional(*known);
}

PresetOptions presetOptions(const QuantizeArguments& arguments)
{
    PresetOptions options;
    if (arguments.preset == "percentile") {
        options.method = BoundMethod::Percentile;
    } else if (arguments.preset == "mse") {
        options.method = BoundMethod::Mse;
    } else if (arguments.preset == "kl") {
        options.method = BoundMethod::Kl;
    } else if (arguments.preset == "portable-int8") {
        options.symmetry = Symmetry::Symmetric;
        options.weightSymmetry = Symmetry::Symmetric;
    }
    options.normGranularity = arguments.norm == "channel" ? Granularity::Group : Granularity::Tensor;
    options.softmaxKind = kindNamed(arguments.softmax).value_or(QuantizerKind::Uniform);
    options.weightBits = arguments.weightBits.value_or(8);
    options.activationBits = arguments.activationBits.value_or(8);
    return options;
}

Plan planOf(const QuantizeArguments& arguments, const Model& model)
{
    if (!arguments.preset.empty()) {
        return makePreset(model.sites, presetOptions(arguments));
    }
    Plan plan = arguments.recipe.empty() ? *model.startingPlan : readPlainRecipe(arguments.recipe).plan;
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

bool isMethod(const std::string& preset)
{
    return std::ranges::any_of(methods(), [&](const Method& method) { return method.name == preset; });
}

MethodOptions methodOptions(const QuantizeArguments& arguments)
{
    MethodOptions options;
    options.weightBits = arguments.weightBits.value_or(4);
    options.activationBits = arguments.activationBits.value_or(4);
    options.zeroPoint
        = arguments.zeroPoint == "published" ? ZeroPointRule::Published : ZeroPointRule::Rounded;
    options.iterations = arguments.iterations;
    options.endToEndIterations = arguments.endToEnd;
    options.views = arguments.views;
    options.softmaxKind = kindNamed(arguments.softmax);
    options.geluKind = kindNamed(arguments.gelu);
    options.seed = arguments.seed;
    options.resume = arguments.resume;
    for (const std::string& name : arguments.without) {
        for (const Ingredient ingredient : kIngredients) {
            if (nameOf(ingredient) == name) {
                options.without.insert(ingredient);
            }
        }
    }
    return options;
}

int executeMethod(const QuantizeArguments& arguments, Console& console)
{
    if (arguments.data.empty()) {
        throw Error(ErrorCode::InvalidArgument,
            "--preset " + arguments.preset
                + " quantizes layer after layer and wants the data itself: --data");
    }
    const auto model = loadModel(arguments.model);
    const auto data = openData(arguments.data, *model);
    MethodOptions options = methodOptions(arguments);
    std::string curve = "block,iteration,loss\n";
    options.onLoss = [&](const LossPoint& point) {
        curve += point.block + "," + std::to_string(point.iteration) + "," + fixed(point.loss, 9) + "\n";
    };
    const MethodInput input = methodInput(model, *data, arguments.samples);
    const auto start = std::chrono::steady_clock::now();
    const MethodResult result = runMethod(methodNamed(arguments.preset), input, options, console.context());
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    writeRecipe(recipeOf(input, options, result), arguments.out);
    if (!arguments.lossCurve.empty()) {
        writeFileAtomically(arguments.lossCurve, curve);
    }
    for (const LayerReport& layer : result.layers) {
        std::cout << layer.layer << ": relative output error " << layer.errorBefore << " -> "
                  << layer.errorAfter << '\n';
    }
    std::cout << arguments.out << ": " << result.quantizers.size() << " quantizers, "
              << result.rewriting.reparameterizations.size() << " reparameterized norms, "
              << result.rewriting.constants.size() << " rewritten constants, " << fixed(seconds.count(), 2)
              << " s\n";
    return 0;
}

/// The best plan within a budget of mean bits.
void spendBudget(const Model& model, const std::vector<SiteSensitivity>& sensitivities, BudgetKind kind,
    double meanBits, Plan& plan)
{
    const std::string what = kind == BudgetKind::Weights ? "weight" : "activation";
    const AllocationProblem problem = allocationProblem(model, plan, sensitivities, kind);
    const std::vector<Allocation> front = allocationFront(problem.items, problem.fixedNoise);
    const Allocation* chosen = withinBudget(front, meanBits);
    if (chosen == nullptr) {
        throw Error(ErrorCode::InvalidArgument,
            "no " + what
                + " of the plan was measured at two widths: sensitivity --widths 3,4,6,8 with this plan");
    }
    plan = withBits(plan, *chosen);
    std::cout << chosen->bits.size() << ' ' << what << "s at " << fixed(chosen->meanBits, 3)
              << " bits on average; predicted SQNR of the logits " << fixed(chosen->predictedSqnrDb(), 2)
              << " dB\n";
}

/// What measurements of the plan are good for: budgets of bits first, then sites left in floating point.
void applySensitivities(const QuantizeArguments& arguments, const Model& model, Plan& plan)
{
    const std::vector<SiteSensitivity> sensitivities = readSensitivities(arguments.sensitivity);
    if (arguments.weightBudget) {
        spendBudget(model, sensitivities, BudgetKind::Weights, *arguments.weightBudget, plan);
    }
    if (arguments.activationBudget) {
        spendBudget(model, sensitivities, BudgetKind::Activations, *arguments.activationBudget, plan);
    }
    if (arguments.minimumSqnr || (!arguments.weightBudget && !arguments.activationBudget)) {
        const FloatFallback fallback
            = fallBackToFloat(model.sites, plan, sensitivities, arguments.minimumSqnr.value_or(0.0));
        plan = fallback.plan;
        std::cout << fallback.sites.size()
                  << " activations stay in floating point; predicted SQNR of the logits "
                  << fixed(fallback.predictedSqnrDb, 2) << " dB\n";
    }
}

int execute(const QuantizeArguments& arguments, Console& console)
{
    if (isMethod(arguments.preset)) {
        return executeMethod(arguments, console);
    }
    if (arguments.calibration.empty()) {
        throw Error(ErrorCode::InvalidArgument, "quantize wants --calibration, or --data with a method");
    }
    const auto model = loadModel(arguments.model);
    if (arguments.preset.empty() && arguments.recipe.empty() && model->startingPlan == nullptr) {
        throw Error(ErrorCode::InvalidArgument,
            "quantize wants --preset or --recipe for a model that has no quantizers of its own");
    }
    const auto calibration = loadCalibration(arguments.calibration);
    Plan plan = planOf(arguments, *model);
    if (!arguments.sensitivity.empty()) {
        applySensitivities(arguments, *model, plan);
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
    CLI::App* command = app.add_subcommand(
        "quantize", "Make a recipe from a preset, another recipe, or the quantizers a QDQ file has");
    command->add_option("MODEL", arguments->model, "Model directory, .onnx or .h5 file")->required();
    command->add_option("--calibration", arguments->calibration, "Calibration file (.h5)");
    std::vector<std::string> presets {"minmax", "percentile", "mse", "kl", "portable-int8"};
    std::string methodNames;
    for (const Method& method : methods()) {
        presets.emplace_back(method.name);
        methodNames += (methodNames.empty() ? "" : ", ") + std::string(method.name);
    }
    auto* preset
        = command
              ->add_option("--preset", arguments->preset, "How bounds are found, or a method: " + methodNames)
              ->check(CLI::IsMember(presets));
    command->add_option("--data", arguments->data, "Methods: samples to calibrate on, layer after layer");
    command->add_option("--samples", arguments->samples, "Methods: use the first N samples")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    std::vector<std::string> kinds;
    for (const QuantizerKind kind : kQuantizerKinds) {
        kinds.emplace_back(nameOf(kind));
    }
    std::vector<std::string> ingredients;
    for (const Ingredient ingredient : kIngredients) {
        ingredients.emplace_back(nameOf(ingredient));
    }
    command
        ->add_option("--without", arguments->without, "Methods: leave ingredients out, separated by commas")
        ->delimiter(',')
        ->check(CLI::IsMember(ingredients));
    command
        ->add_option("--zero-point", arguments->zeroPoint,
            "Methods: zero point of reparameterized norms, rounded or with its fraction as the published "
            "RepQ-ViT code")
        ->capture_default_str()
        ->check(CLI::IsMember({"rounded", "published"}));
    command->add_option("--iterations", arguments->iterations, "repquant: iterations per block")
        ->capture_default_str()
        ->check(CLI::Range(1, 1000000));
    command
        ->add_option("--end-to-end", arguments->endToEnd,
            "repquant: iterations of all blocks together, afterwards; 0 leaves them out")
        ->capture_default_str()
        ->check(CLI::Range(0, 1000000));
    command
        ->add_option("--augment", arguments->views,
            "repquant: train on N crops and mirror images of every image; 1: as they are, 0: 8 for images")
        ->capture_default_str()
        ->check(CLI::Range(0, 1000));
    command->add_option("--seed", arguments->seed, "repquant: seed of the samples drawn")
        ->capture_default_str();
    command->add_option(
        "--resume", arguments->resume, "repquant: keep finished blocks in this file and go on behind them");
    command->add_option(
        "--loss-curve", arguments->lossCurve, "repquant: write the loss of every iteration (.csv)");
    command->add_option("--recipe", arguments->recipe, "Recipe whose plan is resolved on this calibration")
        ->excludes(preset);
    command->add_option("--w-bits", arguments->weightBits, "Bits of all weights")->check(CLI::Range(2, 16));
    command->add_option("--a-bits", arguments->activationBits, "Bits of all activations")
        ->check(CLI::Range(2, 16));
    command->add_option("--norm", arguments->norm, "Scales of LayerNorm outputs: per tensor or per channel")
        ->capture_default_str()
        ->check(CLI::IsMember({"tensor", "channel"}));
    command
        ->add_option("--softmax", arguments->softmax,
            "Quantizer of the attention probabilities (default: uniform; with repq-vit log-sqrt2; with the "
            "other methods log-sqrt2, at 3 bits adalog, or uniform: site by site, what the layer behind "
            "suffers least from)")
        ->check(CLI::IsMember(kinds));
    command
        ->add_option("--gelu", arguments->gelu,
            "repquant-fast, repquant: quantizer behind activation functions; logarithmic ones with the "
            "values shifted to 0 and above (default: site by site, as --softmax)")
        ->check(CLI::IsMember(kinds));
    auto* sensitivity = command->add_option("--sensitivity", arguments->sensitivity,
        "What sensitivity --json printed for this plan: leave the most harmful activations in floating "
        "point, or keep a budget of bits");
    command
        ->add_option(
            "--min-sqnr", arguments->minimumSqnr, "…until this SQNR of the logits is predicted, in dB")
        ->needs(sensitivity);
    command
        ->add_option("--weight-budget", arguments->weightBudget,
            "Mean bits of all weight elements: the best of the measured widths for each weight")
        ->needs(sensitivity)
        ->check(CLI::Range(2.0, 16.0));
    command->add_option("--activation-budget", arguments->activationBudget, "Mean bits of all activations")
        ->needs(sensitivity)
        ->check(CLI::Range(2.0, 16.0));
    command->add_option("--out", arguments->out, "Recipe to write (.json)")->required();
    command->callback([arguments, &action] {
        action = [arguments](Console& console) { return execute(*arguments, console); };
    });
}

} // namespace qs
