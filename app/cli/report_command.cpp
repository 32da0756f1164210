#include "app/cli/commands.h"
#include "app/cli/data_arguments.h"
#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/eval/calibrate.h"
#include "core/eval/sensitivity_json.h"
#include "core/exporting/report.h"
#include "core/io/json_text.h"
#include "core/io/recipe_file.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <ctime>
#include <iostream>
#include <memory>

namespace qs {

namespace {

struct ReportArguments
{
    std::string source;
    std::string recipe;
    std::string calibration;
    std::string sensitivity;
    DataArguments data;
    std::int64_t samples = 0;
    std::string out;
};

std::string today()
{
    const std::time_t now = std::time(nullptr);
    std::tm utc {};
    gmtime_r(&now, &utc);
    char text[32];
    return std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc) > 0 ? text : std::string();
}

/// A word of a command line that a shell reads back as it is.
std::string quoted(const std::string& word)
{
    const bool plain = !word.empty()
        && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=+:@%,")
            == std::string::npos;
    if (plain) {
        return word;
    }
    std::string result = "'";
    for (const char c : word) {
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return result + "'";
}

ReportInput fromSession(const ReportArguments& arguments)
{
    if (!arguments.recipe.empty() || !arguments.calibration.empty() || !arguments.sensitivity.empty()
        || !arguments.data.path.empty()) {
        throw Error(ErrorCode::InvalidArgument,
            "a session has its own plan, statistics and results: --recipe, --calibration, --sensitivity and "
            "--data go with a model");
    }
    ReportInput input;
    input.session = loadSession(arguments.source);
    try {
        auto model = loadModel(input.session.modelPath);
        if (model->hash == input.session.modelHash) {
            restoreForms(input.session, model);
            input.model = input.session.form ? input.session.form->model : model;
        }
    } catch (const Error&) { // a session is complete without its model
        input.model.reset();
    }
    if (!input.model) {
        input.remarks.emplace_back(
            "The model of this session was not at hand: its weights are not described.");
    }
    input.commands
        = {"quantoscope-cli report " + quoted(arguments.source) + " --out " + quoted(arguments.out)};
    return input;
}

ReportInput fromModel(const ReportArguments& arguments, Console& console)
{
    if (arguments.recipe.empty() || arguments.data.path.empty()) {
        throw Error(ErrorCode::InvalidArgument,
            "a report of a model wants --recipe and --data; a session file has both");
    }
    const auto original = loadModel(arguments.source);
    const Recipe recipe = readRecipe(arguments.recipe);
    ReportInput input;
    input.model = modelOf(recipe, original);
    input.quantizers = quantizersOf(recipe, *input.model, console.context());
    const auto data = arguments.data.open(*original);
    Executor executor(original);
    const Fp32Reference reference = computeReference(executor, *data, arguments.samples, console.context());
    input.fp32 = reference.metrics;
    SessionFile& session = input.session;
    session.modelPath = original->path.string();
    session.modelName = original->name;
    session.modelHash = original->hash;
    session.configHash = original->configHash;
    session.task = original->task;
    session.sites = input.model->sites;
    session.evaluationPath = arguments.data.path;
    session.plan = recipe.plan;
    session.snapshots = {{std::filesystem::path(arguments.recipe).filename().string(), recipe.plan,
        planFigures(*input.model, recipe.plan),
        std::make_shared<const Evaluation>(
            evaluatePlan(input.model, *input.quantizers, *data, reference, console.context(), original))}};
    if (input.model != original) {
        input.remarks.emplace_back("The recipe rewrites the model: what is said of weights is said of the "
                                   "rewritten ones.");
    } else if (!arguments.calibration.empty()) {
        session.calibration = loadCalibration(arguments.calibration);
    }
    if (!arguments.sensitivity.empty()) {
        session.sensitivity = readSensitivities(arguments.sensitivity);
    }
    input.commands = {"quantoscope-cli evaluate " + quoted(arguments.source) + " --recipe "
            + quoted(arguments.recipe) + " --data " + quoted(arguments.data.path),
        "quantoscope-cli report " + quoted(arguments.source) + " --recipe " + quoted(arguments.recipe)
            + " --data " + quoted(arguments.data.path)
            + (arguments.calibration.empty() ? "" : " --calibration " + quoted(arguments.calibration))
            + (arguments.sensitivity.empty() ? "" : " --sensitivity " + quoted(arguments.sensitivity))
            + " --out " + quoted(arguments.out)};
    return input;
}

int execute(const ReportArguments& arguments, Console& console)
{
    requireHtmlName(arguments.out);
    const bool isSession = std::filesystem::path(arguments.source).extension() == ".qscope";
    ReportInput input = isSession ? fromSession(arguments) : fromModel(arguments, console);
    input.date = today();
    const std::string html = htmlReport(input, console.context());
    writeFileAtomically(arguments.out, html);
    std::cout << arguments.out << ": " << html.size() << " bytes\n";
    return 0;
}

} // namespace

void declareReport(CLI::App& app, CommandAction& action)
{
    auto arguments = std::make_shared<ReportArguments>();
    CLI::App* command = app.add_subcommand("report", "Write an HTML report of a session, or of a recipe");
    command
        ->add_option(
            "SESSION|MODEL", arguments->source, "Session (.qscope), or a model: directory, .onnx or .h5 file")
        ->required();
    command->add_option("--recipe", arguments->recipe, "Of a model: the recipe to report on");
    arguments->data.declare(*command, "Of a model: samples to evaluate on");
    command->add_option(
        "--calibration", arguments->calibration, "Of a model: shows distributions and their errors");
    command->add_option(
        "--sensitivity", arguments->sensitivity, "Of a model: what sensitivity --json printed");
    command->add_option("--samples", arguments->samples, "Of a model: use the first N samples (default: all)")
        ->check(CLI::PositiveNumber);
    command->add_option("--out", arguments->out, "Report to write (.html)")->required();
    command->callback([arguments, &action] {
        action = [arguments](Console& console) { return execute(*arguments, console); };
    });
}

} // namespace qs
