#pragma once

#include "core/models/checkpoint.h"
#include "core/models/vit_config.h"

#include <string>

namespace qs {

/// The sizes of one ViT, all known and free of contradiction.
struct VitDimensions
{
    std::int64_t channels = 0;
    std::int64_t imageHeight = 0;
    std::int64_t imageWidth = 0;
    std::int64_t patchHeight = 0;
    std::int64_t patchWidth = 0;
    std::int64_t gridHeight = 0; ///< patches
    std::int64_t gridWidth = 0;
    std::int64_t embedDim = 0;
    std::int64_t depth = 0;
    std::int64_t heads = 0;
    std::int64_t mlpDim = 0;
    std::int64_t classes = 0;
    std::int64_t prefixTokens = 0; ///< class and distillation token
    bool positionCoversPrefix = true; ///< pos_embed has rows for the prefix tokens too

    [[nodiscard]] std::int64_t patches() const { return gridHeight * gridWidth; }
    [[nodiscard]] std::int64_t tokens() const { return prefixTokens + patches(); }
    [[nodiscard]] std::int64_t headDim() const { return embedDim / heads; }
};

/// Tensor and module names of a form, the same parts under other names.
struct VitNames
{
    std::string patch; ///< the patch convolution, without ".weight"
    std::string classToken;
    std::string distillationToken;
    std::string position;
    std::string blocks; ///< the part before the block's number
    std::string norm1, attention, query, key, value, projection, norm2, fc1, activation,
        fc2; ///< inside a block
    std::string norm; ///< final
    std::string head, distillationHead;

    /// `checkpoint` decides between the head names of Hugging Face's DeiT classes.
    [[nodiscard]] static VitNames of(const VitConfig& config, const Checkpoint& checkpoint);
    [[nodiscard]] std::string block(std::int64_t index) const { return blocks + std::to_string(index); }
};

/// Sizes from the tensors, checked against what the configuration states. Throws Error(CorruptFile) naming
/// both.
[[nodiscard]] VitDimensions measureVit(
    const VitConfig& config, const VitNames& names, const Checkpoint& tensors);

} // namespace qs
