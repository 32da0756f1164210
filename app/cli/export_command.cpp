#include "app/cli/commands.h"
#include "core/base/error.h"
#include "core/base/version.h"
#include "core/exporting/exporter.h"
#include "core/io/recipe_file.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace qs {

namespace {

struct ExportArguments
{
    std::string model;
    std::string recipe;
    std::string format;
    std::string out;
    std::string data;
    std::int64_t samples = 32;
    bool verify = false;
};

/// Samples the exported file is run on: from --data, else noise of a fixed seed in the range of normalised
/// pixels.
Tensor verificationSamples(const ExportArguments& arguments, const Model& model)
{
    if (!arguments.data.empty()) {
        const auto data = openData(arguments.data, model);
        return loadBatch(*data, 0, std::min(arguments.samples, data->size()));
    }
    std::vector<std::int64_t> dims = model.graph->value(model.graph->inputs().front()).dims;
    dims.front() = std::min<std::int64_t>(arguments.samples, 8);
    Tensor noise(DType::F32, Shape(dims));
    std::uint32_t state = 1;
    for (float& value : noise.mutableData<float>()) {
        state = state * 1664525U + 1013904223U;
        value = static_cast<float>(state >> 8U) * (4.0F / 16777216.0F) - 2.0F;
    }
    return noise;
}

int execute(const ExportArguments& arguments, Console& console)
{
    const Exporter& exporter = exporterNamed(arguments.format);
    const Recipe recipe = readRecipe(arguments.recipe);
    const auto model = modelOf(recipe, loadModel(arguments.model));
    const ExportInput input {model, recipe.plan, quantizersOf(recipe, *model, console.context()),
        recipe.calibrationHash, kVersion};
    for (const LintFinding& finding : exporter.lint(input)) {
        if (finding.severity != LintFinding::Severity::Error) {
            console.note((finding.severity == LintFinding::Severity::Warning ? "warning: " : "note: ")
                + finding.sentence);
        }
    }
    exporter.write(input, arguments.out, console.context());
    std::cout << arguments.out << " written\n";
    if (!arguments.verify) {
        return 0;
    }
    const Verification verification = verifyExport(
        exporter, input, arguments.out, verificationSamples(arguments, *model), console.context());
    std::cout << "verified on " << verification.samples << " samples: SQNR " << fixed(verification.sqnrDb, 2)
              << " dB, same top-1 " << fixed(verification.agreementPercent, 2) << " %, largest difference "
              << verification.maxAbsDifference << '\n';
    constexpr double kLowestSqnrDb = 30.0;
    if (verification.sqnrDb < kLowestSqnrDb) {
        throw Error(ErrorCode::Internal,
            "'" + arguments.out + "' does not compute what was simulated: SQNR "
                + fixed(verification.sqnrDb, 2) + " dB is below 30 dB");
    }
    return 0;
}

} // namespace

void declareExport(CLI::App& app, CommandAction& action)
{
    auto arguments = std::make_shared<ExportArguments>();
    std::string formats;
    for (const auto& exporter : exporters()) {
        formats += (formats.empty() ? "" : ", ") + exporter->name();
    }
    CLI::App* command = app.add_subcommand("export", "Write the quantized model for a runtime");
    command->add_option("MODEL", arguments->model, "Model directory, .onnx or .h5 file")->required();
    command->add_option("--recipe", arguments->recipe, "Recipe (.json)")->required();
    command->add_option("--format", arguments->format, "One of: " + formats)->required();
    command->add_option("--out", arguments->out, "File to write")->required();
    command->add_flag(
        "--verify", arguments->verify, "Read the file back, run it and compare with the simulation");
    command->add_option("--data", arguments->data, "Samples for --verify (default: noise)");
    command->add_option("--samples", arguments->samples, "Samples for --verify")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    command->callback([arguments, &action] {
        action = [arguments](Console& console) { return execute(*arguments, console); };
    });
}

} // namespace qs
