#include "app/cli/commands.h"
#include "app/cli/data_arguments.h"
#include "core/eval/evaluate.h"
#include "core/io/recipe_file.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <iostream>
#include <memory>

namespace qs {

namespace {

struct EvaluateArguments
{
    std::string model;
    std::string recipe;
    DataArguments data;
    std::int64_t samples = 0;
    bool json = false;
};

nlohmann::json orNull(std::optional<double> value)
{
    return value && std::isfinite(*value) ? nlohmann::json(*value) : nlohmann::json(nullptr);
}

nlohmann::json toJson(const Evaluation& evaluation)
{
    const Metrics& metrics = evaluation.metrics;
    nlohmann::json layers = nlohmann::json::object();
    for (const auto& [layer, sqnr] : evaluation.layerSqnrDb) {
        layers[layer] = orNull(sqnr);
    }
    return {{"samples", metrics.samples}, {"tokens", metrics.tokens}, {"nll", orNull(metrics.nllNats)},
        {"perplexity", orNull(metrics.perplexity())}, {"top1", orNull(metrics.top1Percent)},
        {"top5", orNull(metrics.top5Percent)}, {"agreement", metrics.agreementPercent},
        {"kl", metrics.klNats}, {"sqnr_db", orNull(metrics.logitsSqnrDb)}, {"layer_sqnr_db", layers}};
}

void print(const Metrics& metrics)
{
    const auto percent
        = [](const std::optional<double>& value) { return value ? fixed(*value, 2) + " %" : "unlabelled"; };
    std::cout << "samples    " << metrics.samples << '\n';
    if (metrics.nllNats) {
        std::cout << "tokens     " << metrics.tokens << '\n'
                  << "NLL        " << fixed(*metrics.nllNats, 6) << " nats\n"
                  << "perplexity " << fixed(*metrics.perplexity(), 4) << '\n';
    }
    std::cout << "top-1      " << percent(metrics.top1Percent) << '\n'
              << "top-5      " << percent(metrics.top5Percent) << '\n'
              << "agreement  " << fixed(metrics.agreementPercent, 2) << " %\n"
              << "KL         " << fixed(metrics.klNats, 6) << " nats\n"
              << "SQNR       " << fixed(metrics.logitsSqnrDb, 2) << " dB\n";
}

int execute(const EvaluateArguments& arguments, Console& console)
{
    const auto original = loadModel(arguments.model);
    std::shared_ptr<const Model> model = original;
    ResolvedPlan quantizers;
    if (!arguments.recipe.empty()) {
        const Recipe recipe = readRecipe(arguments.recipe);
        model = modelOf(recipe, original);
        quantizers = quantizersOf(recipe, *model, console.context());
    } else if (model->startingPlan != nullptr) {
        quantizers = resolvePlan(*model, *model->startingPlan, {}, console.context());
    }
    const auto data = arguments.data.open(*model);
    Executor executor(original);
    const Fp32Reference reference = computeReference(executor, *data, arguments.samples, console.context());
    Evaluation evaluation {reference.metrics, {}};
    if (!quantizers.empty()) {
        evaluation = evaluatePlan(model, quantizers, *data, reference, console.context(), original);
    }
    if (arguments.json) {
        std::cout << toJson(evaluation).dump(1) << '\n';
    } else {
        print(evaluation.metrics);
    }
    return 0;
}

} // namespace

void declareEvaluate(CLI::App& app, CommandAction& action)
{
    auto arguments = std::make_shared<EvaluateArguments>();
    CLI::App* command
        = app.add_subcommand("evaluate", "Accuracy and error of a recipe against FP32, or of FP32 itself");
    command->add_option("MODEL", arguments->model, "Model directory, .onnx or .h5 file")->required();
    command->add_option(
        "--recipe", arguments->recipe, "Recipe (.json); without it the quantizers of a QDQ file, else FP32");
    arguments->data.declare(*command, "Images, recordings, texts, or .npy, .npz or .h5 samples")->required();
    command->add_option("--samples", arguments->samples, "Use the first N samples (default: all)")
        ->check(CLI::PositiveNumber);
    command->add_flag("--json", arguments->json, "Print one JSON object");
    command->callback([arguments, &action] {
        action = [arguments](Console& console) { return execute(*arguments, console); };
    });
}

} // namespace qs
