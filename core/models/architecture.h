#pragma once

#include "core/models/checkpoint.h"
#include "core/models/config_reader.h"
#include "core/models/model.h"

#include <filesystem>
#include <memory>
#include <string>

namespace qs {

/// A directory that is being opened.
struct ModelFolder
{
    const std::filesystem::path& path;
    const ConfigReader& config; ///< config.json
    Checkpoint& weights;
};

/// What an architecture makes of a directory.
struct Network
{
    std::shared_ptr<const Graph> graph;
    ModelTask task = ModelTask::Features;
    std::optional<Preprocessing> preprocessing
        = std::nullopt; ///< networks that take an image of three channels
};

/// Builds the network. Throws Error: CorruptFile (a tensor or a size that does not fit), Unsupported (a
/// variant that is not supported).
using NetworkMaker = Network (*)(const ModelFolder& folder);

/// The maker for what config.json states: timm's "architecture" by the name's first part, Hugging Face's
/// "model_type" as a whole. Throws Error(Unsupported) for others.
[[nodiscard]] NetworkMaker networkMakerFor(const ConfigReader& config);

/// Hugging Face's class, the first of "architectures": one of `known`, whose first is assumed where none is
/// stated. Throws Error(Unsupported) for others.
[[nodiscard]] std::string networkClass(const ConfigReader& config, const std::vector<std::string>& known);

/// Throws the Error(Unsupported) "'file' asks for KEY 'VALUE', which is not supported".
[[noreturn]] void failUnsupported(
    const ConfigReader& config, const std::string& key, const std::string& value);

} // namespace qs
