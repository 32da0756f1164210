#pragma once

#include "core/io/data_source.h"

#include <memory>
#include <string>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace qs {

/// Which data a subcommand reads, and how.
struct DataArguments
{
    std::string path;
    DataOptions options;

    /// Adds "--data" (given back) and "--context". The arguments must live as long as the command.
    CLI::Option* declare(CLI::App& command, const std::string& description);
    [[nodiscard]] std::shared_ptr<const DataSource> open(const Model& model) const
    {
        return openData(path, model, options);
    }
};

} // namespace qs
