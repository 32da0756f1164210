#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/models/architecture.h"
#include "core/models/model.h"
#include "core/models/onnx_model.h"
#include "core/models/quantized_model.h"

namespace qs {

namespace {

/// The architecture as timm states it; Hugging Face's directories carry their name themselves.
std::string titleOf(const ConfigReader& config, const std::filesystem::path& directory)
{
    if (const auto architecture = config.text("architecture")) {
        return *architecture;
    }
    std::error_code ignored;
    return std::filesystem::weakly_canonical(directory, ignored).filename().string();
}

std::shared_ptr<const Model> loadDirectory(const std::filesystem::path& directory)
{
    const ConfigReader config(directory / "config.json");
    const NetworkMaker make = networkMakerFor(config);
    Checkpoint weights(directory);
    Network network = make({directory, config, weights});
    auto model = std::make_shared<Model>();
    model->path = directory;
    model->name = titleOf(config, directory);
    model->hash = weights.hash();
    model->configHash = sha256OfFile(config.file());
    model->graph = std::move(network.graph);
    model->sites = findSites(*model->graph);
    model->task = network.task;
    model->preprocessing = network.preprocessing;
    return model;
}

} // namespace

std::shared_ptr<const Model> loadModel(const std::filesystem::path& path)
{
    std::error_code failure;
    if (std::filesystem::is_directory(path, failure)) {
        return loadDirectory(path);
    }
    if (!std::filesystem::exists(path, failure)) {
        throw Error(ErrorCode::Io,
            "there is no model '" + path.string() + "'" + (failure ? ": " + failure.message() : ""));
    }
    if (path.extension() == ".onnx") {
        return loadOnnxModel(path);
    }
    if (path.extension() == ".h5") {
        return readQuantizedModel(path).model;
    }
    throw Error(ErrorCode::Unsupported,
        "'" + path.string()
            + "' is neither a directory with config.json and model.safetensors nor an .onnx or .h5 file");
}

} // namespace qs
