#include "core/models/swin_config.h"

#include "core/base/error.h"
#include "core/models/image_preprocessing.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

constexpr std::int64_t kMostBlocks = 1024;
constexpr std::int64_t kMostHeads = 4096;

std::string blockPath(std::size_t stage, std::int64_t block)
{
    return "layers." + std::to_string(stage) + ".blocks." + std::to_string(block) + ".";
}

/// Sizes that timm's names stand for, as the tensors have them.
void measure(const Checkpoint& weights, SwinConfig& result)
{
    const Shape& patch = weights.shapeOf("patch_embed.proj.weight", 4);
    result.embedDim = patch[0];
    result.channels = patch[1];
    result.patchHeight = patch[2];
    result.patchWidth = patch[3];
    result.depths.clear();
    result.heads.clear();
    do {
        const std::size_t stage = result.depths.size();
        const std::string table = blockPath(stage, 0) + "attn.relative_position_bias_table";
        const Shape& shape = weights.shapeOf(table, 2);
        const auto side = static_cast<std::int64_t>(std::llround(std::sqrt(static_cast<double>(shape[0]))));
        if (stage == 0) {
            result.window = (side + 1) / 2; // later stages may have less patches than a window
        }
        if (side * side != shape[0] || side % 2 == 0) {
            throw Error(ErrorCode::CorruptFile,
                "tensor '" + table + "' of '" + weights.fileOf(table) + "' has " + std::to_string(shape[0])
                    + " rows, which is not the square of an odd number");
        }
        std::int64_t depth = 1;
        while (depth < kMostBlocks && weights.hasAny(blockPath(stage, depth))) {
            ++depth;
        }
        result.depths.push_back(depth);
        result.heads.push_back(shape[1]);
    } while (result.depths.size() < 8 && weights.hasAny(blockPath(result.depths.size(), 0)));
}

void readTimmArguments(const ConfigReader& arguments, SwinConfig& result)
{
    if (const auto image = arguments.extent("img_size")) {
        result.imageHeight = image->first;
        result.imageWidth = image->second;
    }
    if (const auto window = arguments.integer("window_size", 1, 1 << 10)) {
        result.window = *window;
    }
    result.mlpRatio = arguments.number("mlp_ratio", 1e-3, 1e3).value_or(result.mlpRatio);
    result.qkvBias = arguments.flag("qkv_bias").value_or(true);
    result.activation = activationOf(arguments, "act_layer", "gelu");
}

SwinConfig readTimm(const ModelFolder& folder)
{
    const ConfigReader& config = folder.config;
    SwinConfig result;
    const std::string architecture = config.text("architecture").value_or("");
    for (const char* other : {"swin_s3_", "_cr_", "swin_v2"}) {
        if (architecture.find(other) != std::string::npos) {
            failUnsupported(config, "architecture", architecture);
        }
    }
    measure(folder.weights, result);
    const ConfigReader nested = config.object("pretrained_cfg");
    const ConfigReader& pretrained = nested.empty() ? config : nested;
    if (const auto shape = pretrained.imageShape("input_size")) {
        result.imageHeight = (*shape)[1];
        result.imageWidth = (*shape)[2];
    }
    readTimmArguments(config.object("model_args"), result);
    result.head = folder.weights.has("head.fc.weight") ? "head.fc" : "head";
    result.merging
        = folder.weights.hasAny("layers.0.downsample.") ? SwinMerging::EndOfStage : SwinMerging::StartOfStage;
    result.preprocessing = readTimmPreprocessing(pretrained, result.imageHeight, result.imageWidth);
    return result;
}

SwinConfig readHuggingFace(const ModelFolder& folder)
{
    const ConfigReader& config = folder.config;
    SwinConfig result;
    result.form = SwinForm::HuggingFace;
    result.prefix = folder.weights.prefixOf({"swin.", ""}, "embeddings.patch_embeddings.projection.weight");
    result.hasHead = networkClass(config, {"SwinForImageClassification", "SwinModel"}) != "SwinModel";
    result.head = "classifier";
    const auto image = config.extent("image_size").value_or(std::pair(result.imageHeight, result.imageWidth));
    const auto patch = config.extent("patch_size").value_or(std::pair(result.patchHeight, result.patchWidth));
    result.imageHeight = image.first;
    result.imageWidth = image.second;
    result.patchHeight = patch.first;
    result.patchWidth = patch.second;
    result.channels = config.size("num_channels").value_or(3);
    result.embedDim = config.size("embed_dim").value_or(96);
    if (config.has("depths")) {
        result.depths = config.integers("depths", 1, kMostBlocks);
    }
    if (config.has("num_heads")) {
        result.heads = config.integers("num_heads", 1, kMostHeads);
    }
    result.window = config.integer("window_size", 1, 1 << 10).value_or(7);
    result.mlpRatio = config.number("mlp_ratio", 1e-3, 1e3).value_or(4.0);
    result.qkvBias = config.flag("qkv_bias").value_or(true);
    result.absolutePositions = config.flag("use_absolute_embeddings").value_or(false);
    result.epsilon = config.number("layer_norm_eps", 0, 1).value_or(1e-5);
    result.activation = activationOf(config, "hidden_act", "gelu");
    result.preprocessing
        = readHuggingFacePreprocessing(folder.path, imageNetPreprocessing(image.first, image.second));
    return result;
}

void check(const ModelFolder& folder, const SwinConfig& config)
{
    const auto fail = [&](const std::string& what) {
        throw Error(ErrorCode::CorruptFile, "'" + folder.config.file().string() + "' states " + what);
    };
    if (config.depths.empty() || config.depths.size() > 8 || config.depths.size() != config.heads.size()) {
        fail(std::to_string(config.depths.size()) + " depths for " + std::to_string(config.heads.size())
            + " numbers of heads, but both must be 1 to 8");
    }
    for (std::size_t stage = 0; stage < config.heads.size(); ++stage) {
        if (config.width(stage) % config.heads[stage] != 0) {
            fail(std::to_string(config.heads[stage]) + " heads for a width of "
                + std::to_string(config.width(stage)));
        }
    }
    const std::string image
        = "an image of " + std::to_string(config.imageHeight) + "x" + std::to_string(config.imageWidth);
    if (config.imageHeight % config.patchHeight != 0 || config.imageWidth % config.patchWidth != 0) {
        fail(image + ", but patches of " + std::to_string(config.patchHeight) + "x"
            + std::to_string(config.patchWidth) + " do not fill it");
    }
    std::int64_t height = config.imageHeight / config.patchHeight;
    std::int64_t width = config.imageWidth / config.patchWidth;
    for (std::size_t stage = 0; stage < config.depths.size(); ++stage) {
        const std::int64_t window = std::min({config.window, height, width});
        const bool merges = stage + 1 < config.depths.size();
        if (height % window != 0 || width % window != 0 || (merges && (height % 2 != 0 || width % 2 != 0))) {
            throw Error(ErrorCode::Unsupported,
                "'" + folder.config.file().string() + "' states " + image + ", which makes "
                    + std::to_string(height) + "x" + std::to_string(width) + " patches in stage "
                    + std::to_string(stage) + "; windows of " + std::to_string(window)
                    + " or merged pairs would need padding, which is not supported");
        }
        height /= 2;
        width /= 2;
    }
}

} // namespace

SwinConfig readSwinConfig(const ModelFolder& folder)
{
    SwinConfig result = folder.config.has("architecture") ? readTimm(folder) : readHuggingFace(folder);
    check(folder, result);
    if (result.hasHead) {
        const std::string tensor = result.head + ".weight";
        result.classes = folder.weights.shapeOf(tensor, 2)[0];
        const auto stated = folder.config.has("architecture")
            ? folder.config.integer("num_classes", 0, 1 << 20)
            : folder.config.count("id2label");
        if (stated && *stated != result.classes) {
            throw Error(ErrorCode::CorruptFile,
                "'" + folder.config.file().string() + "' states " + std::to_string(*stated)
                    + " classes, but tensor '" + tensor + "' of '" + folder.weights.fileOf(tensor)
                    + "' makes it " + std::to_string(result.classes));
        }
    }
    if (result.channels != 3) {
        result.preprocessing.reset();
    }
    return result;
}

} // namespace qs
