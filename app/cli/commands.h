#pragma once

#include "app/cli/console.h"

#include <functional>

namespace CLI {
class App;
}

namespace qs {

/// What a subcommand does once its arguments are known; returns the exit status.
using CommandAction = std::function<int(Console&)>;

/// Each declares one subcommand of product.md section 5 and, when it is chosen, puts its work into `action`.
void declareInspect(CLI::App& app, CommandAction& action);
void declareRun(CLI::App& app, CommandAction& action);
void declareCalibrate(CLI::App& app, CommandAction& action);
void declareQuantize(CLI::App& app, CommandAction& action);
void declareEvaluate(CLI::App& app, CommandAction& action);
void declareSensitivity(CLI::App& app, CommandAction& action);
void declareBench(CLI::App& app, CommandAction& action);
void declareMicroscope(CLI::App& app, CommandAction& action);
void declareReport(CLI::App& app, CommandAction& action);
void declareExport(CLI::App& app, CommandAction& action);

} // namespace qs
