#include "app/cli/commands.h"
#include "app/cli/data_arguments.h"
#include "core/eval/calibrate.h"
#include "core/eval/sensitivity_json.h"
#include "core/io/recipe_file.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
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
    std::vector<int> widths;
    bool causes = false;
    std::int64_t resamples = BootstrapOptions().resamples;
    std::uint64_t seed = BootstrapOptions().seed;
    bool json = false;
};

/// "0.0123 [0.0100, 0.0150]"
std::string withInterval(double value, const std::optional<BootstrapInterval>& interval, int digits)
{
    return interval ? fixed(value, digits) + " [" + fixed(interval->lower, digits) + ", "
            + fixed(interval->upper, digits) + "]"
                    : fixed(value, digits);
}

void print(const std::vector<SiteSensitivity>& results)
{
    const auto any = [&](auto member) {
        return std::ranges::any_of(results, [&](const auto& r) { return (r.*member).has_value(); });
    };
    const bool causes = any(&SiteSensitivity::clippingAlone);
    const bool language = any(&SiteSensitivity::nllIncreaseNats);
    std::printf("%-44s %-10s %4s %9s %30s %9s %9s", "site", "kind", "bits", "SQNR dB", "KL nats", "changed %",
        "clipping");
    std::printf("%s%s\n", language ? "  NLL increase" : "", causes ? "  KL clipping  KL rounding" : "");
    for (const SiteSensitivity& result : results) {
        std::printf("%-44s %-10s %4d %9s %30s %9s %9s", result.site.c_str(),
            result.kind == SiteKind::Weight ? "weight" : "activation", result.bits,
            fixed(result.logitsSqnrDb, 2).c_str(),
            withInterval(
                result.klNats, result.intervals ? std::optional(result.intervals->klNats) : std::nullopt, 6)
                .c_str(),
            fixed(100.0 - result.agreementPercent, 1).c_str(), fixed(result.clippingShare, 3).c_str());
        if (result.nllIncreaseNats) {
            std::printf(" %13s", fixed(*result.nllIncreaseNats, 6).c_str());
        }
        if (result.clippingAlone && result.roundingAlone) {
            std::printf(" %12s %12s", fixed(result.clippingAlone->klNats, 6).c_str(),
                fixed(result.roundingAlone->klNats, 6).c_str());
        }
        std::printf("\n");
    }
}

int execute(const SensitivityArguments& arguments, Console& console)
{
    const auto model = loadModel(arguments.model);
    const auto calibration = loadCalibration(arguments.calibration);
    const auto data = arguments.data.open(*model);
    SensitivityOptions options;
    options.samples = arguments.samples;
    options.fallback.bits = arguments.bits;
    options.widths = arguments.widths;
    std::ranges::sort(options.widths);
    options.causes = arguments.causes;
    options.bootstrap.resamples = arguments.resamples;
    options.bootstrap.seed = arguments.seed;
    const Plan plan = arguments.recipe.empty() ? Plan() : readPlainRecipe(arguments.recipe).plan;
    const auto results = measureSensitivity(model, plan, *calibration, *data, options, console.context());
    if (!arguments.json) {
        print(results);
        return 0;
    }
    nlohmann::json sites = nlohmann::json::array();
    for (const SiteSensitivity& result : results) {
        sites.push_back(sensitivityAsJson(result));
    }
    const std::int64_t samples = sampleCountOf(*model->graph, *data, options.samples);
    const nlohmann::json bootstrap {{"resamples", arguments.resamples}, {"seed", arguments.seed},
        {"coverage", options.bootstrap.coverage}};
    std::cout << nlohmann::json {{"samples", samples}, {"bootstrap", bootstrap}, {"sites", sites}}.dump(1)
              << '\n';
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
    command
        ->add_option("--widths", arguments->widths,
            "Measure every site at these bits, separated by commas (default: those of its quantizer)")
        ->delimiter(',')
        ->check(CLI::Range(kMinBits, kMaxBits));
    command->add_flag(
        "--causes", arguments->causes, "Also with the clipped and with the rounded values alone");
    command
        ->add_option("--resamples", arguments->resamples,
            "Resamples of the samples behind the 95 % intervals; 0 for none")
        ->capture_default_str()
        ->check(CLI::Range(0, 1000000));
    command->add_option("--seed", arguments->seed, "Seed of the resamples")
        ->capture_default_str()
        ->check(CLI::Range(std::int64_t {0}, std::int64_t {1} << 53));
    command->add_flag("--json", arguments->json, "Print one JSON object");
    command->callback([arguments, &action] {
        action = [arguments](Console& console) { return execute(*arguments, console); };
    });
}

} // namespace qs
