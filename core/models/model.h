#pragma once

#include "core/graph/graph.h"
#include "core/graph/site.h"

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qs {

struct Plan;

enum class Resampling { Nearest, Bilinear, Bicubic };

/// How an image becomes the model's input: RGB, shorter side to `resizeShorter` with an antialiased filter, centre crop
/// to height x width, times 1/255, minus mean, divided by std; channels first.
struct Preprocessing
{
    std::int64_t height = 224;
    std::int64_t width = 224;
    std::int64_t resizeShorter = 256; ///< pixels: floor(size / crop_pct); 0 = resize straight to width x height
    Resampling resampling = Resampling::Bicubic;
    std::array<double, 3> mean {0.5, 0.5, 0.5};
    std::array<double, 3> standardDeviation {0.5, 0.5, 0.5};

    friend bool operator==(const Preprocessing&, const Preprocessing&) = default;
};

/// What the first output means; decides which data fits and which metrics are shown.
enum class ModelTask {
    Classification, ///< logits [N, classes]
    LanguageModel, ///< next-token logits [N, T, vocabulary] of int64 token ids [N, T]
    Features ///< anything else: compared with FP32 only
};

/// An opened model: the graph, its sites, and how to feed it. Immutable after loading; shared by pointer.
struct Model
{
    std::filesystem::path path;
    std::string name; ///< for titles: the architecture, or the file's stem
    std::string hash; ///< SHA-256 of the weight file
    std::string configHash; ///< SHA-256 of config.json, "" where there is none
    std::shared_ptr<const Graph> graph;
    std::vector<Site> sites; ///< findSites(*graph)
    ModelTask task = ModelTask::Classification;
    std::optional<Preprocessing> preprocessing; ///< models with an image input
    /// The quantizers that a file in QDQ form came with, as choices to start from; null where there were none.
    std::shared_ptr<const Plan> startingPlan;
};

/// Opens a directory with config.json + model.safetensors (timm's or Hugging Face's ViT/DeiT form), an .onnx file,
/// or our quantized .h5 (its weights dequantized; readQuantizedModel() also gives its activation quantizers).
/// Throws Error: Io, CorruptFile, Unsupported (the sentence names the tensor, operator or key).
[[nodiscard]] std::shared_ptr<const Model> loadModel(const std::filesystem::path& path);

} // namespace qs
