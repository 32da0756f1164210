#include "app/cli/commands.h"
#include "app/cli/data_arguments.h"
#include "core/eval/calibrate.h"
#include "core/eval/input_check.h"
#include "core/runtime/executor.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>

namespace qs {

namespace {

struct CalibrateArguments
{
    std::string model;
    DataArguments data;
    std::string out;
    std::int64_t samples = 0;
    ExecutorOptions executor;
};

} // namespace

void declareCalibrate(CLI::App& app, CommandAction& action)
{
    auto arguments = std::make_shared<CalibrateArguments>();
    CLI::App* command
        = app.add_subcommand("calibrate", "Collect the statistics of all sites over a calibration set");
    command->add_option("MODEL", arguments->model, "Model directory, .onnx or .h5 file")->required();
    arguments->data.declare(*command, "Images, recordings, texts, or .npy, .npz or .h5 samples")->required();
    command->add_option("--out", arguments->out, "Calibration file to write (.h5)")->required();
    command->add_option("--samples", arguments->samples, "Use the first N samples (default: all)")
        ->check(CLI::PositiveNumber);
    command
        ->add_option("--memory-budget", arguments->executor.weightBudget,
            "Memory for packed weights, e.g. 512M or 2G (default: a quarter of the machine's); others are "
            "packed in every pass")
        ->transform(CLI::AsSizeValue(false));
    command->callback([arguments, &action] {
        action = [arguments](Console& console) {
            const auto model = loadModel(arguments->model);
            const auto data = arguments->data.open(*model);
            auto executor = std::make_unique<Executor>(model, arguments->executor);
            const auto calibration = calibrate(*executor, *data, arguments->samples, console.context());
            if (const auto check = checkInput(*model, *calibration); check && !check->fits) {
                console.note("warning: " + check->sentence);
            }
            executor.reset(); // its weights are not needed while the file is made
            saveCalibration(*calibration, arguments->out);
            std::cout << arguments->out << ": " << calibration->sites.size() << " sites over "
                      << calibration->sampleCount << " samples\n";
            return 0;
        };
    });
}

} // namespace qs
