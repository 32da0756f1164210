#include "app/cli/commands.h"
#include "app/cli/data_arguments.h"
#include "core/base/error.h"
#include "core/eval/calibrate.h"
#include "core/eval/calibration_microscope.h"
#include "core/eval/input_check.h"
#include "core/io/recipe_file.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <iostream>
#include <memory>

namespace qs {

namespace {

struct MicroscopeArguments
{
    std::string model;
    std::string calibration;
    std::string recipe;
    DataArguments data;
    std::string site;
    bool json = false;
};

nlohmann::json orNull(double value)
{
    return std::isfinite(value) ? nlohmann::json(value) : nlohmann::json(nullptr);
}

std::string nameOf(const SampleInfluence& influence, const DataSource* data)
{
    const std::int64_t sample = influence.sample.sample;
    return data != nullptr && sample < data->size() ? data->sampleName(sample) : "#" + std::to_string(sample);
}

nlohmann::json toJson(const SiteMicroscope& found, const DataSource* data)
{
    nlohmann::json influences = nlohmann::json::array();
    for (const SampleInfluence& influence : found.influences) {
        influences.push_back({{"sample", influence.sample.sample}, {"name", nameOf(influence, data)},
            {"minimum", influence.sample.minimum}, {"maximum", influence.sample.maximum},
            {"sets_lower", influence.setsLower}, {"sets_upper", influence.setsUpper},
            {"without", {influence.without.lower, influence.without.upper}},
            {"sqnr_db", orNull(influence.sqnrDb)}, {"clipping_share", influence.clippingShare}});
    }
    nlohmann::json progress = nlohmann::json::array();
    for (const RangeProgress& point : found.progress) {
        progress.push_back({{"samples", point.samples}, {"lower", point.range.lower},
            {"upper", point.range.upper}, {"coverage", point.coverage}});
    }
    return {{"site", found.site}, {"samples", found.samples}, {"lower", found.range.lower},
        {"upper", found.range.upper}, {"sqnr_db", orNull(found.sqnrDb)},
        {"settled_after", found.settledAfter}, {"influences", influences}, {"progress", progress}};
}

nlohmann::json toJson(const std::optional<InputCheck>& check)
{
    if (!check) {
        return nullptr;
    }
    return {{"mean", check->mean}, {"standard_deviation", check->standardDeviation},
        {"minimum", check->minimum}, {"maximum", check->maximum}, {"fits", check->fits},
        {"sentence", check->sentence}};
}

void print(const SiteMicroscope& found, const DataSource* data)
{
    std::printf("%s: %s to %s over %lld samples, %s dB; settled after %lld\n", found.site.c_str(),
        fixed(found.range.lower, 5).c_str(), fixed(found.range.upper, 5).c_str(),
        static_cast<long long>(found.samples), fixed(found.sqnrDb, 2).c_str(),
        static_cast<long long>(found.settledAfter));
    for (const SampleInfluence& influence : found.influences) {
        const char* sets = influence.setsLower && influence.setsUpper ? "both ends"
            : influence.setsLower                                     ? "lower end"
            : influence.setsUpper                                     ? "upper end"
                                                                      : "-";
        std::printf("  %-36s %-9s  without: %s to %s, %s dB\n", nameOf(influence, data).c_str(), sets,
            fixed(influence.without.lower, 5).c_str(), fixed(influence.without.upper, 5).c_str(),
            fixed(influence.sqnrDb, 2).c_str());
    }
}

int execute(const MicroscopeArguments& arguments)
{
    const auto model = loadModel(arguments.model);
    const auto calibration = loadCalibration(arguments.calibration);
    const auto data = arguments.data.path.empty() ? nullptr : arguments.data.open(*model);
    const Plan plan
        = arguments.recipe.empty() ? makePreset(model->sites, {}) : readPlainRecipe(arguments.recipe).plan;
    const auto check = checkInput(*model, *calibration);
    std::vector<SiteMicroscope> all;
    for (const auto& [site, statistics] : calibration->sites) {
        if (!arguments.site.empty() && site != arguments.site) {
            continue;
        }
        const SiteChoice* choice = plan.find(site);
        if (const auto found = examineSite(*statistics, choice == nullptr ? SiteChoice() : *choice)) {
            all.push_back(*found);
        }
    }
    if (all.empty()) {
        throw Error(ErrorCode::InvalidArgument,
            arguments.site.empty() || calibration->find(arguments.site)
                ? "this calibration was made without its samples: calibrate again"
                : "the calibration has no site '" + arguments.site + "'");
    }
    if (arguments.json) {
        nlohmann::json sites = nlohmann::json::array();
        for (const SiteMicroscope& found : all) {
            sites.push_back(toJson(found, data.get()));
        }
        std::cout << nlohmann::json {{"input", toJson(check)}, {"sites", sites}}.dump(1) << '\n';
        return 0;
    }
    if (check && !check->fits) {
        std::cout << check->sentence << "\n\n";
    }
    for (const SiteMicroscope& found : all) {
        print(found, data.get());
    }
    return 0;
}

} // namespace

void declareMicroscope(CLI::App& app, CommandAction& action)
{
    auto arguments = std::make_shared<MicroscopeArguments>();
    CLI::App* command = app.add_subcommand(
        "microscope", "Which samples set the ranges, and what leaving each out would do");
    command->add_option("MODEL", arguments->model, "Model directory, .onnx or .h5 file")->required();
    command->add_option("--calibration", arguments->calibration, "Calibration file (.h5)")->required();
    command->add_option("--recipe", arguments->recipe, "Quantizers of this recipe (default: 8 bits)");
    arguments->data.declare(*command, "The calibration data: names its samples");
    command->add_option("--site", arguments->site, "One site only");
    command->add_flag("--json", arguments->json, "Print one JSON object");
    command->callback(
        [arguments, &action] { action = [arguments](Console&) { return execute(*arguments); }; });
}

} // namespace qs
