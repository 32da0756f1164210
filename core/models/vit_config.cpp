#include "core/models/vit_config.h"

#include "core/base/error.h"
#include "core/models/architecture.h"
#include "core/models/config_reader.h"
#include "core/models/image_preprocessing.h"

#include <array>
#include <string_view>

namespace qs {

namespace {

/// timm's ViTs have heads of 64 dimensions, except those that fix 16 heads at another width.
std::optional<std::int64_t> timmHeads(std::string_view architecture)
{
    for (const std::string_view size : {"_huge_", "_giant_", "_gigantic_"}) {
        if (architecture.find(size) != std::string_view::npos) {
            return 16;
        }
    }
    return std::nullopt;
}

void checkTimmArchitecture(const ConfigReader& config, const std::string& architecture)
{
    const bool vit = architecture.starts_with("vit_") || architecture.starts_with("deit_")
        || architecture.starts_with("deit3_");
    // These keep ViT's tensor names but compute something else.
    constexpr std::array<std::string_view, 8> kOther {
        "_rpn_", "relpos", "quickgelu", "_rope", "parallel", "_siglip", "_sam", "resnet"};
    for (const std::string_view part : kOther) {
        if (!vit || architecture.find(part) != std::string::npos) {
            failUnsupported(config, "architecture", architecture);
        }
    }
}

void readTimmModelArguments(const ConfigReader& arguments, VitConfig& result)
{
    if (arguments.empty()) {
        return;
    }
    for (const char* key : {"norm_layer", "block_fn", "mlp_layer", "embed_layer", "attn_layer"}) {
        if (arguments.has(key)) {
            failUnsupported(arguments, "the model argument", key);
        }
    }
    if (const auto image = arguments.extent("img_size")) {
        result.imageHeight = image->first;
        result.imageWidth = image->second;
    }
    if (const auto patch = arguments.extent("patch_size")) {
        result.patchHeight = patch->first;
        result.patchWidth = patch->second;
    }
    result.channels = arguments.size("in_chans");
    result.qkvBias = arguments.flag("qkv_bias").value_or(true);
    result.embedDim = arguments.size("embed_dim");
    result.depth = arguments.size("depth");
    result.heads = arguments.size("num_heads");
    if (const auto ratio = arguments.number("mlp_ratio", 1e-3, 1e3); ratio && result.embedDim) {
        result.mlpDim = static_cast<std::int64_t>(static_cast<double>(*result.embedDim) * *ratio);
    }
    result.activation = activationOf(arguments, "act_layer", "gelu");
    if (const auto classes = arguments.size("num_classes")) {
        result.classes = classes;
    }
}

VitConfig readTimm(const ConfigReader& config)
{
    VitConfig result;
    result.file = config.file();
    result.form = VitForm::Timm;
    result.architecture = config.text("architecture").value_or("");
    checkTimmArchitecture(config, result.architecture);
    result.layerNormEpsilon = result.architecture.find("_clip_") == std::string::npos ? 1e-6 : 1e-5;
    result.classes = config.integer("num_classes", 0, 1 << 20);

    const ConfigReader arguments = config.object("model_args");
    // Older files keep the contents of pretrained_cfg at the top.
    const ConfigReader nested = config.object("pretrained_cfg");
    const ConfigReader& pretrained = nested.empty() ? config : nested;
    if (const auto shape = pretrained.imageShape("input_size")) {
        result.channels = (*shape)[0];
        result.imageHeight = (*shape)[1];
        result.imageWidth = (*shape)[2];
    }
    const auto statedChannels = result.channels;
    readTimmModelArguments(arguments, result);
    if (!result.channels) {
        result.channels = statedChannels;
    }
    if (!result.imageHeight) {
        result.imageHeight = 224;
        result.imageWidth = 224;
    }
    if (!result.heads) {
        result.heads = timmHeads(result.architecture);
    }
    const std::string pooling
        = config.text("global_pool").value_or(arguments.text("global_pool").value_or("token"));
    if (pooling == "avg") {
        result.pooling = VitPooling::Average;
    } else if (pooling != "token") {
        failUnsupported(config, "global_pool", pooling);
    }
    result.preprocessing = readTimmPreprocessing(pretrained, *result.imageHeight, *result.imageWidth);
    return result;
}

VitConfig readHuggingFace(const ConfigReader& config, const std::filesystem::path& directory)
{
    VitConfig result;
    result.file = config.file();
    result.form = VitForm::HuggingFace;
    result.prefix = config.text("model_type").value_or("");
    if (result.prefix != "vit" && result.prefix != "deit") {
        failUnsupported(config, "the model type", result.prefix);
    }
    std::error_code ignored;
    result.architecture = std::filesystem::weakly_canonical(directory, ignored).filename().string();
    const auto image = config.extent("image_size").value_or(std::pair<std::int64_t, std::int64_t>(224, 224));
    const auto patch = config.extent("patch_size").value_or(std::pair<std::int64_t, std::int64_t>(16, 16));
    result.imageHeight = image.first;
    result.imageWidth = image.second;
    result.patchHeight = patch.first;
    result.patchWidth = patch.second;
    result.channels = config.size("num_channels").value_or(3);
    result.embedDim = config.size("hidden_size").value_or(768);
    result.depth = config.size("num_hidden_layers").value_or(12);
    result.heads = config.size("num_attention_heads").value_or(12);
    result.mlpDim = config.size("intermediate_size").value_or(3072);
    result.qkvBias = config.flag("qkv_bias").value_or(true);
    result.classes = config.count("id2label");
    result.layerNormEpsilon = config.number("layer_norm_eps", 0, 1).value_or(1e-12);
    result.activation = activationOf(config, "hidden_act", "gelu");
    Preprocessing assumed = imageNetPreprocessing(image.first, image.second);
    if (result.prefix == "vit") {
        assumed.mean = {0.5, 0.5, 0.5};
        assumed.standardDeviation = {0.5, 0.5, 0.5};
        assumed.resampling = Resampling::Bilinear;
    }
    result.preprocessing = readHuggingFacePreprocessing(directory, assumed);
    return result;
}

} // namespace

VitConfig readVitConfig(const std::filesystem::path& directory)
{
    const ConfigReader config(directory / "config.json");
    VitConfig result;
    if (config.has("architecture")) {
        result = readTimm(config);
    } else if (config.has("model_type")) {
        result = readHuggingFace(config, directory);
    } else {
        throw Error(ErrorCode::Unsupported,
            "'" + config.file().string()
                + "' has neither 'architecture' (timm) nor 'model_type' (Hugging Face)");
    }
    return result;
}

} // namespace qs
