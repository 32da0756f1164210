#include "app/cli/data_arguments.h"

#include <CLI/CLI.hpp>

namespace qs {

CLI::Option* DataArguments::declare(CLI::App& command, const std::string& description)
{
    command
        .add_option("--context", options.context,
            "Tokens per sample of a language model (default: what the model takes, at most 512)")
        ->check(CLI::PositiveNumber);
    return command.add_option("--data", path, description);
}

} // namespace qs
