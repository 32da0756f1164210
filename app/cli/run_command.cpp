#include "app/cli/commands.h"
#include "core/base/error.h"
#include "core/eval/plan_applier.h"
#include "core/eval/plan_resolver.h"
#include "core/io/npy_file.h"
#include "core/runtime/executor.h"
#include "core/runtime/input_tensor.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>

namespace qs {

namespace {

struct RunArguments
{
    std::string model;
    std::vector<std::string> inputs;
    std::string outputFolder;
};

Feed parseInput(const Model& model, const std::string& argument)
{
    const auto equals = argument.find('=');
    if (equals == std::string::npos) {
        throw Error(ErrorCode::InvalidArgument, "--input wants NAME=file.npy, not '" + argument + "'");
    }
    const std::string name = argument.substr(0, equals);
    const auto value = model.graph->findValue(name);
    const auto& inputs = model.graph->inputs();
    if (!value || std::ranges::find(inputs, *value) == inputs.end()) {
        std::string known;
        for (const ValueId id : inputs) {
            known += (known.empty() ? "" : ", ") + model.graph->value(id).name;
        }
        throw Error(
            ErrorCode::InvalidArgument, "the model has no input '" + name + "'; its inputs are: " + known);
    }
    return {*value, inputTensor(model.graph->value(*value), readNpy(argument.substr(equals + 1)))};
}

/// Name of the file for an output: its own, without what means something in paths.
std::string fileNameFor(std::string name)
{
    std::ranges::replace(name, '/', '_');
    return name.starts_with('.') ? "_" + name : name;
}

int execute(const RunArguments& arguments, Console& console)
{
    const auto model = loadModel(arguments.model);
    std::vector<Feed> feeds;
    for (const std::string& input : arguments.inputs) {
        feeds.push_back(parseInput(*model, input));
    }
    Executor executor(model);
    PlanApplier applier(executor);
    if (model->startingPlan != nullptr) {
        applier.apply(resolvePlan(*model, *model->startingPlan, {}, console.context()));
    }
    const auto& outputs = model->graph->outputs();
    const auto results = executor.run(feeds, outputs, nullptr, console.context());
    std::filesystem::create_directories(arguments.outputFolder);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        const std::string name = fileNameFor(model->graph->value(outputs[i]).name);
        const auto file = std::filesystem::path(arguments.outputFolder) / (name + ".npy");
        writeNpy(file, results[i]);
        std::cout << file.string() << ' ' << results[i].shape().text() << '\n';
    }
    return 0;
}

} // namespace

void declareRun(CLI::App& app, CommandAction& action)
{
    auto arguments = std::make_shared<RunArguments>();
    CLI::App* command = app.add_subcommand("run", "One forward pass on given tensors, with the quantizers that a QDQ file has");
    command->add_option("MODEL", arguments->model, "Model directory, .onnx or .h5 file")->required();
    command->add_option("--input", arguments->inputs, "NAME=x.npy, once per input");
    command->add_option("--output-dir", arguments->outputFolder, "Folder for <output name>.npy")->required();
    command->callback([arguments, &action] {
        action = [arguments](Console& console) { return execute(*arguments, console); };
    });
}

} // namespace qs
