#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/models/model.h"
#include "core/models/onnx_model.h"
#include "core/models/quantized_model.h"
#include "core/models/vit_config.h"
#include "core/models/vit_graph.h"

namespace qs {

namespace {

std::shared_ptr<const Model> loadDirectory(const std::filesystem::path& directory)
{
    const VitConfig config = readVitConfig(directory);
    const std::filesystem::path weightPath = directory / "model.safetensors";
    std::error_code ignored; // what cannot be examined cannot be opened, and opening says why
    if (!std::filesystem::exists(weightPath, ignored)
        && std::filesystem::exists(directory / "model.safetensors.index.json", ignored)) {
        throw Error(ErrorCode::Unsupported,
            "'" + directory.string()
                + "' keeps its weights in several files, which is not supported for ViT");
    }
    const SafetensorsFile weights(weightPath);
    auto model = std::make_shared<Model>();
    model->path = directory;
    model->name = config.architecture;
    model->graph = buildVitGraph(config, weights);
    model->sites = findSites(*model->graph);
    model->hash = sha256(weights.bytes());
    model->configHash = sha256OfFile(config.file);
    if (model->graph->value(model->graph->inputs().front()).dims[1] == 3) {
        model->preprocessing = config.preprocessing;
    }
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
