#include "core/models/vit_config.h"

#include "core/base/error.h"
#include "core/base/log.h"
#include "core/io/json_text.h"
#include "core/models/config_reader.h"

#include <array>
#include <cmath>
#include <string_view>

namespace qs {

namespace {

constexpr std::array<double, 3> kImageNetMean {0.485, 0.456, 0.406};
constexpr std::array<double, 3> kImageNetDeviation {0.229, 0.224, 0.225};

[[noreturn]] void unsupported(const ConfigReader& config, const char* key, const std::string& value)
{
    throw Error(ErrorCode::Unsupported,
        "'" + config.file().string() + "' asks for " + key + " " + quotedName(value)
            + ", which is not supported");
}

/// "none" or "tanh".
std::string geluApproximation(const ConfigReader& config, const char* key, const std::string& name)
{
    if (name == "gelu" || name == "gelu_python") {
        return "none";
    }
    if (name == "gelu_tanh" || name == "gelu_new" || name == "gelu_pytorch_tanh" || name == "gelu_fast") {
        return "tanh";
    }
    unsupported(config, key, name);
}

// ---- timm
// -----------------------------------------------------------------------------------------------------

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
            unsupported(config, "architecture", architecture);
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
            unsupported(arguments, "the model argument", key);
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
    if (const auto activation = arguments.text("act_layer")) {
        result.geluApproximation = geluApproximation(arguments, "act_layer", *activation);
    }
    if (const auto classes = arguments.size("num_classes")) {
        result.classes = classes;
    }
}

Resampling timmResampling(const ConfigReader& config, const std::string& name)
{
    if (name == "nearest") {
        return Resampling::Nearest;
    }
    if (name == "bilinear") {
        return Resampling::Bilinear;
    }
    if (name == "bicubic") {
        return Resampling::Bicubic;
    }
    unsupported(config, "the interpolation", name);
}

/// timm's evaluation transform: shorter side to floor(size / crop_pct), then a centre crop; crop_mode
/// "squash" with crop_pct 1 resizes straight to the input size.
void readTimmPreprocessing(const ConfigReader& pretrained, VitConfig& result)
{
    Preprocessing& steps = result.preprocessing;
    steps.mean = pretrained.triple("mean", -1e6, 1e6).value_or(kImageNetMean);
    steps.standardDeviation = pretrained.triple("std", 1e-9, 1e6).value_or(kImageNetDeviation);
    steps.resampling = timmResampling(pretrained, pretrained.text("interpolation").value_or("bicubic"));
    const double cropShare = pretrained.number("crop_pct", 0.01, 1.0).value_or(0.875);
    const std::string cropMode = pretrained.text("crop_mode").value_or("center");
    const auto shorter = static_cast<double>(std::min(*result.imageHeight, *result.imageWidth));
    steps.resizeShorter = static_cast<std::int64_t>(std::floor(shorter / cropShare));
    if (cropMode == "squash" && cropShare == 1.0) {
        steps.resizeShorter = 0;
    } else if (cropMode != "center") {
        log(LogLevel::Warning,
            "'" + result.file.string() + "' asks for the crop mode " + quotedName(cropMode)
                + "; images are cropped at the centre instead");
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
        unsupported(config, "global_pool", pooling);
    }
    readTimmPreprocessing(pretrained, result);
    return result;
}

// ---- Hugging Face
// ---------------------------------------------------------------------------------------------

Resampling huggingFaceResampling(const ConfigReader& config)
{
    switch (config.integer("resample", 0, 5).value_or(2)) {
    case 0: return Resampling::Nearest;
    case 2: return Resampling::Bilinear;
    case 3: return Resampling::Bicubic;
    default: config.fail("resample", "only 0 (nearest), 2 (bilinear) and 3 (bicubic) are supported");
    }
}

/// preprocessor_config.json: resize to `size`, optionally a centre crop to `crop_size`. Without a crop the
/// image is resized straight to the input (resizeShorter = 0); with one, the shorter side goes to `size`.
void readProcessor(const ConfigReader& processor, VitConfig& result)
{
    Preprocessing& steps = result.preprocessing;
    steps.mean = processor.triple("image_mean", -1e6, 1e6).value_or(steps.mean);
    steps.standardDeviation = processor.triple("image_std", 1e-9, 1e6).value_or(steps.standardDeviation);
    steps.resampling = huggingFaceResampling(processor);
    if (!processor.flag("do_normalize").value_or(true)) {
        steps.mean = {0, 0, 0};
        steps.standardDeviation = {1, 1, 1};
    }
    if (!processor.flag("do_rescale").value_or(true)
        || std::abs(processor.number("rescale_factor", 0, 1e6).value_or(1.0 / 255) * 255 - 1) > 1e-6) {
        unsupported(processor, "pixels", "scaled by something else than 1/255");
    }
    const auto crop
        = processor.flag("do_center_crop").value_or(false) ? processor.extent("crop_size") : std::nullopt;
    const auto size = processor.extent("size");
    steps.resizeShorter = 0;
    if (const auto share = processor.number("crop_pct", 0.01, 1.0); share && *share < 1.0) {
        const auto shorter = static_cast<double>(std::min(*result.imageHeight, *result.imageWidth));
        steps.resizeShorter = static_cast<std::int64_t>(std::floor(shorter / *share));
    } else if (crop && size) {
        steps.resizeShorter = std::min(size->first, size->second);
    }
    const auto target = crop ? crop : size;
    if (target && *target != std::pair(*result.imageHeight, *result.imageWidth)) {
        log(LogLevel::Warning,
            "'" + processor.file().string() + "' makes images of " + std::to_string(target->first) + "x"
                + std::to_string(target->second) + ", the model takes " + std::to_string(*result.imageHeight)
                + "x" + std::to_string(*result.imageWidth));
    }
}

VitConfig readHuggingFace(const ConfigReader& config, const std::filesystem::path& directory)
{
    VitConfig result;
    result.file = config.file();
    result.form = VitForm::HuggingFace;
    result.prefix = config.text("model_type").value_or("");
    if (result.prefix != "vit" && result.prefix != "deit") {
        unsupported(config, "the model type", result.prefix);
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
    result.geluApproximation
        = geluApproximation(config, "hidden_act", config.text("hidden_act").value_or("gelu"));
    if (result.prefix == "deit") {
        result.preprocessing.mean = kImageNetMean;
        result.preprocessing.standardDeviation = kImageNetDeviation;
    }
    result.preprocessing.resizeShorter = 0;
    result.preprocessing.resampling = result.prefix == "vit" ? Resampling::Bilinear : Resampling::Bicubic;
    const std::filesystem::path processor = directory / "preprocessor_config.json";
    if (std::filesystem::exists(processor, ignored)) {
        readProcessor(ConfigReader(processor), result);
    }
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
    result.preprocessing.height = *result.imageHeight;
    result.preprocessing.width = *result.imageWidth;
    return result;
}

} // namespace qs
