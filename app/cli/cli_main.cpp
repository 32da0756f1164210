#include "app/cli/commands.h"
#include "core/base/error.h"
#include "core/base/log.h"
#include "core/base/parallel.h"
#include "core/base/version.h"

#include <CLI/CLI.hpp>

#include <iostream>
#include <new>

namespace {

constexpr int kGood = 0;
constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

int fail(const std::string& sentence)
{
    std::cerr << "quantoscope-cli: " << sentence << '\n';
    return kFailed;
}

} // namespace

int main(int argc, char** argv)
{
    CLI::App app("Post-training quantization of transformers from the command line.", "quantoscope-cli");
    app.set_version_flag("--version", std::string("quantoscope-cli ") + qs::kVersion);
    app.require_subcommand(1);
    int threads = 0;
    app.add_option("--threads", threads, "Threads to use (default: all processors)")
        ->check(CLI::PositiveNumber);
    app.fallthrough();

    qs::CommandAction action;
    qs::declareInspect(app, action);
    qs::declareRun(app, action);
    qs::declareCalibrate(app, action);
    qs::declareQuantize(app, action);
    qs::declareEvaluate(app, action);
    qs::declareSensitivity(app, action);
    qs::declareExport(app, action);
    qs::declareBench(app, action);
    qs::declareMicroscope(app, action);
    qs::declareReport(app, action);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? kGood : kWrongUsage;
    }

    qs::Console console;
    qs::setLogSink([&console](qs::LogLevel level, std::string_view message) {
        if (level >= qs::LogLevel::Warning) {
            console.note(std::string(message));
        }
    });
    if (threads > 0) {
        qs::setThreadCount(threads);
    }
    try {
        return action(console);
    } catch (const qs::Error& error) {
        return fail(error.what());
    } catch (const std::bad_alloc&) {
        return fail("there is not enough memory");
    } catch (const std::exception& error) {
        return fail(error.what());
    }
}
