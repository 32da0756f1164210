#include "app/cli/commands.h"
#include "app/cli/data_arguments.h"
#include "core/eval/calibrate.h"
#include "core/eval/sensitivity.h"
#include "core/io/recipe_file.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>

namespace qs {

namespace {

struct SensitivityArguments
{
    std::string model;
    std::string calibration;
    DataArguments data;
    std::string recipe;
    std::int64_t samples = 32;
    int bits = 4;
    bool json = false;
};

nlohmann::json numberOrNull(double value)
{
    return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

nlohmann::json toJson(const SiteSensitivity& result)
{
    return {{"site", result.site}, {"kind", result.kind == SiteKind::Weight ? "weight" : "activation"},
        {"bits", result.bits}, {"sqnr_db", numberOrNull(result.logitsSqnrDb)}, {"kl", result.klNats},
        {"agreement", result.agreementPercent},
        {"nll", result.nllNats ? nlohmann::json(*result.nllNats) : nlohmann::json(nullptr)},
        {"site_sqnr_db", numberOrNull(result.siteSqnrDb)}, {"clipping_share", result.clippingShare}};
}

int execute(const SensitivityArguments& arguments, Console& console)
{
    const auto model = loadModel(arguments.model);
    const auto calibration = loadCalibration(arguments.calibration);
    const auto data = arguments.data.open(*model);
    SensitivityOptions options;
    options.samples = arguments.samples;
    options.fallback.bits = arguments.bits;
    const Plan plan = arguments.recipe.empty() ? Plan() : readPlainRecipe(arguments.recipe).plan;
    const auto results = measureSensitivity(model, plan, *calibration, *data, options, console.context());
    if (arguments.json) {
        nlohmann::json sites = nlohmann::json::array();
        for (const SiteSensitivity& result : results) {
            sites.push_back(toJson(result));
        }
        const std::int64_t samples = sampleCountOf(*model->graph, *data, options.samples);
        std::cout << nlohmann::json {{"samples", samples}, {"sites", sites}}.dump(1) << '\n';
        return 0;
    }
    std::printf(
        "%-44s %-10s %4s %9s %10s %8s %9s\n", "site", "kind", "bits", "SQNR dB", "KL", "agree %", "clipping");
    for (const SiteSensitivity& result : results) {
        std::printf("%-44s %-10s %4d %9s %10s %8s %9s\n", result.site.c_str(),
            result.kind == SiteKind::Weight ? "weight" : "activation", result.bits,
            fixed(result.logitsSqnrDb, 2).c_str(), fixed(result.klNats, 6).c_str(),
            fixed(result.agreementPercent, 1).c_str(), fixed(result.clippingShare, 3).c_str());
    }
    return 0;
}

} // namespace

void declareSensitivity(CLI::App& app, CommandAction& action)
{
    auto arguments = std::make_shared<SensitivityArguments>();
    CLI::App* command
        = app.add_subcommand("sensitivity", "Quantize one site at a time and measure the logits");
    command->add_option("MODEL", arguments->model, "Model directory, .onnx or .h5 file")->required();
    command->add_option("--calibration", arguments->calibration, "Calibration file (.h5)")->required();
    arguments->data.declare(*command, "Images, recordings, texts, or .npy, .npz or .h5 samples")->required();
    command->add_option("--samples", arguments->samples, "Use the first N samples")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    command->add_option(
        "--recipe", arguments->recipe, "Quantize every site as this recipe does (default: min-max)");
    command->add_option("--bits", arguments->bits, "Bits of sites that no recipe quantizes")
        ->capture_default_str()
        ->check(CLI::Range(2, 16));
    command->add_flag("--json", arguments->json, "Print one JSON object");
    command->callback([arguments, &action] {
        action = [arguments](Console& console) { return execute(*arguments, console); };
    });
}

} // namespace qs
