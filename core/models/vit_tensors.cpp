#include "core/models/vit_tensors.h"

#include "core/base/error.h"
#include "core/io/json_text.h"

namespace qs {

namespace {

class DimensionCheck
{
public:
    DimensionCheck(const VitConfig& config, const Checkpoint& tensors)
        : m_config(config)
        , m_tensors(tensors)
    {
    }

    /// Takes the measured size unless the configuration states another.
    void agree(const std::optional<std::int64_t>& stated, std::int64_t measured, const char* what,
        const std::string& tensor) const
    {
        if (stated && *stated != measured) {
            contradiction(std::string(what) + " " + std::to_string(*stated),
                "tensor " + quotedName(tensor) + " of '" + m_tensors.fileOf(tensor) + "' makes it "
                    + std::to_string(measured));
        }
    }

    [[noreturn]] void contradiction(const std::string& stated, const std::string& found) const
    {
        throw Error(
            ErrorCode::CorruptFile, "'" + m_config.file.string() + "' states " + stated + ", but " + found);
    }

private:
    const VitConfig& m_config;
    const Checkpoint& m_tensors;
};

std::int64_t countBlocks(const VitNames& names, const Checkpoint& tensors)
{
    std::int64_t depth = 0;
    while (tensors.has(names.block(depth) + "." + names.norm1 + ".weight")) {
        ++depth;
    }
    return depth;
}

void measureTokens(
    const VitConfig& config, const VitNames& names, const Checkpoint& tensors, VitDimensions& dimensions)
{
    const DimensionCheck check(config, tensors);
    const std::string image
        = std::to_string(dimensions.imageHeight) + "x" + std::to_string(dimensions.imageWidth);
    if (dimensions.imageHeight % dimensions.patchHeight != 0
        || dimensions.imageWidth % dimensions.patchWidth != 0) {
        check.contradiction("an image of " + image,
            "patches of " + std::to_string(dimensions.patchHeight) + "x"
                + std::to_string(dimensions.patchWidth) + " do not fill it");
    }
    dimensions.gridHeight = dimensions.imageHeight / dimensions.patchHeight;
    dimensions.gridWidth = dimensions.imageWidth / dimensions.patchWidth;
    dimensions.prefixTokens
        = (tensors.has(names.classToken) ? 1 : 0) + (tensors.has(names.distillationToken) ? 1 : 0);
    const auto require = [&](const std::string& token, bool wanted) {
        if (wanted && !tensors.has(token)) {
            throw Error(ErrorCode::CorruptFile,
                "'" + tensors.fileOf(token) + "' lacks the tensor " + quotedName(token));
        }
    };
    require(names.classToken, config.pooling == VitPooling::Token);
    require(names.distillationToken, tensors.hasAny(names.distillationHead + "."));
    const std::int64_t rows = tensors.shapeOf(names.position, 3)[1];
    if (rows != dimensions.tokens() && rows != dimensions.patches()) {
        check.contradiction(
            "an image of " + image + ", which makes " + std::to_string(dimensions.tokens()) + " tokens",
            "tensor " + quotedName(names.position) + " of '" + tensors.fileOf(names.position) + "' has "
                + std::to_string(rows));
    }
    dimensions.positionCoversPrefix = rows == dimensions.tokens();
}

} // namespace

VitNames VitNames::of(const VitConfig& config, const Checkpoint& checkpoint)
{
    if (config.form == VitForm::Timm) {
        return {"patch_embed.proj", "cls_token", "dist_token", "pos_embed", "blocks.", "norm1", "attn",
            "attn.query", "attn.key", "attn.value", "attn.proj", "norm2", "mlp.fc1", "mlp.act", "mlp.fc2",
            "norm", "head", "head_dist"};
    }
    const std::string root = config.prefix + ".";
    const bool twoHeads
        = checkpoint.hasAny("cls_classifier.") || checkpoint.hasAny("distillation_classifier.");
    return {root + "embeddings.patch_embeddings.projection", root + "embeddings.cls_token",
        root + "embeddings.distillation_token", root + "embeddings.position_embeddings",
        root + "encoder.layer.", "layernorm_before", "attention.attention", "attention.attention.query",
        "attention.attention.key", "attention.attention.value", "attention.output.dense", "layernorm_after",
        "intermediate.dense", "intermediate.act", "output.dense", root + "layernorm",
        twoHeads ? "cls_classifier" : "classifier", "distillation_classifier"};
}

VitDimensions measureVit(const VitConfig& config, const VitNames& names, const Checkpoint& tensors)
{
    const DimensionCheck check(config, tensors);
    VitDimensions result;
    const std::string patchName = names.patch + ".weight";
    const Shape& patch = tensors.shapeOf(patchName, 4);
    result.embedDim = patch[0];
    result.channels = patch[1];
    result.patchHeight = patch[2];
    result.patchWidth = patch[3];
    check.agree(config.embedDim, result.embedDim, "an embedding of", patchName);
    check.agree(config.channels, result.channels, "a number of channels of", patchName);
    check.agree(config.patchHeight, result.patchHeight, "a patch height of", patchName);
    check.agree(config.patchWidth, result.patchWidth, "a patch width of", patchName);
    result.imageHeight = config.imageHeight.value_or(0);
    result.imageWidth = config.imageWidth.value_or(0);
    measureTokens(config, names, tensors, result);

    result.depth = countBlocks(names, tensors);
    const std::string nextBlock = names.block(result.depth) + "." + names.norm1 + ".weight";
    if (result.depth == 0) {
        throw Error(ErrorCode::CorruptFile,
            "'" + tensors.fileOf(nextBlock) + "' lacks the tensor " + quotedName(nextBlock));
    }
    if (config.depth && *config.depth > result.depth) {
        check.contradiction(std::to_string(*config.depth) + " blocks",
            "'" + tensors.fileOf(nextBlock) + "' lacks the tensor " + quotedName(nextBlock));
    }
    check.agree(config.depth, result.depth, "a number of blocks of",
        names.block(result.depth - 1) + "." + names.norm1 + ".weight");
    const std::string fc1 = names.block(0) + "." + names.fc1 + ".weight";
    result.mlpDim = tensors.shapeOf(fc1, 2)[0];
    check.agree(config.mlpDim, result.mlpDim, "an MLP width of", fc1);
    const std::string head = names.head + ".weight";
    result.classes = tensors.shapeOf(head, 2)[0];
    check.agree(config.classes, result.classes, "a number of classes of", head);

    result.heads = config.heads.value_or(result.embedDim / 64);
    if (result.heads < 1 || result.embedDim % result.heads != 0
        || (!config.heads && result.embedDim % 64 != 0)) {
        throw Error(ErrorCode::CorruptFile,
            "'" + config.file.string() + "' makes " + std::to_string(result.heads)
                + " attention heads of an embedding of " + std::to_string(result.embedDim)
                + " (state num_heads in model_args)");
    }
    return result;
}

} // namespace qs
