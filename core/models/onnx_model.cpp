#include "core/models/onnx_model.h"

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/graph/recognition.h"
#include "core/io/onnx_reader.h"
#include "core/models/model_task.h"
#include "core/models/vit_config.h"
#include "core/quant/stored_plan.h"

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

/// Errors name the file, as the reader's do.
ExtractedQuantizers recognise(const std::filesystem::path& path)
{
    const std::shared_ptr<const Graph> graph = readOnnxFile(path).graph;
    try {
        return recogniseOperators(graph);
    } catch (const Error& error) {
        throw Error(error.code(), "cannot open '" + path.string() + "': " + plainSentence(error.what()));
    }
}

std::shared_ptr<const Plan> startingPlan(const Model& model, const std::vector<StoredQuantizer>& quantizers)
{
    StoredPlan stored = planFromStored(*model.graph, model.sites, quantizers);
    if (!stored.leftOut.empty()) {
        log(LogLevel::Warning,
            std::to_string(stored.leftOut.size()) + " quantizers of '" + model.path.string()
                + "' stand where there is no site and are left out, the first on '" + stored.leftOut.front()
                + "'");
    }
    return std::make_shared<const Plan>(std::move(stored.plan));
}

} // namespace

std::shared_ptr<const Model> loadOnnxModel(const std::filesystem::path& path)
{
    auto model = std::make_shared<Model>();
    model->path = path;
    model->name = path.stem().string();
    ExtractedQuantizers recognised = recognise(path);
    model->graph = std::move(recognised.graph);
    model->sites = findSites(*model->graph);
    model->task = taskOf(*model->graph);
    if (!recognised.quantizers.empty()) {
        model->startingPlan = startingPlan(*model, recognised.quantizers);
    }
    model->hash = sha256OfFile(path);
    model->preprocessing = preprocessingBeside(path, *model->graph);
    return model;
}

} // namespace qs
