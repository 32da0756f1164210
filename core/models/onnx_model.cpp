#include "core/models/onnx_model.h"

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/graph/recognition.h"
#include "core/io/onnx_reader.h"
#include "core/models/model_task.h"
#include "core/models/vit_config.h"

#include <utility>

namespace qs {

namespace {

/// Preprocessing from a config.json beside the file, for an input of one or three image channels. An ONNX
/// file does not say how pixels become its input, so without that there is none.
std::optional<Preprocessing> preprocessingBeside(const std::filesystem::path& path, const Graph& graph)
{
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
    if (graph.inputs().empty() || !std::filesystem::exists(folder / "config.json")) {
        return std::nullopt;
    }
    const std::vector<std::int64_t>& dims = graph.value(graph.inputs().front()).dims;
    if (dims.size() != 4 || dims[1] != 3) {
        return std::nullopt;
    }
    try {
        Preprocessing preprocessing = readVitConfig(folder).preprocessing;
        preprocessing.height = dims[2] > 0 ? dims[2] : preprocessing.height;
        preprocessing.width = dims[3] > 0 ? dims[3] : preprocessing.width;
        return preprocessing;
    } catch (const Error&) {
        return std::nullopt; // another model's configuration says nothing about this file
    }
}

} // namespace

std::shared_ptr<const Model> loadOnnxModel(const std::filesystem::path& path)
{
    auto model = std::make_shared<Model>();
    model->path = path;
    model->name = path.stem().string();
    model->graph = recogniseOperators(readOnnxFile(path).graph);
    model->sites = findSites(*model->graph);
    model->task = taskOf(*model->graph);
    model->hash = sha256OfFile(path);
    model->preprocessing = preprocessingBeside(path, *model->graph);
    return model;
}

} // namespace qs
