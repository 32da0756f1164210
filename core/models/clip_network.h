#pragma once

#include "core/models/activation.h"
#include "core/models/architecture.h"

#include <string>

namespace qs {

/// One of CLIP's two transformers (arXiv 2103.00020).
struct ClipTower
{
    std::int64_t hidden = 0;
    std::int64_t mlp = 0;
    std::int64_t layers = 12;
    std::int64_t heads = 0; ///< a divisor of hidden
    double epsilon = 1e-5;
    ActivationFunction activation = {};
};

struct ClipVisionConfig
{
    ClipTower tower {768, 3072, 12, 12};
    std::int64_t channels = 3;
    std::int64_t imageHeight = 224; ///< pixels, whole patches
    std::int64_t imageWidth = 224;
    std::int64_t patchHeight = 32;
    std::int64_t patchWidth = 32;
};

struct ClipTextConfig
{
    ClipTower tower {512, 2048, 12, 8};
    std::int64_t vocabulary = 49408;
    std::int64_t positions = 77; ///< the longest sequence
    std::int64_t endToken = 49407; ///< 2: files from before it was stated, whose end is the highest id
};

struct ClipConfig
{
    /// "CLIPModel", "CLIPVisionModel", "CLIPTextModel", or one of the latter two followed by
    /// "WithProjection".
    std::string network;
    ClipVisionConfig vision;
    ClipTextConfig text;
    std::int64_t projection = 512;
};

/// Throws Error: CorruptFile, Unsupported; the sentence names file and key.
[[nodiscard]] ClipConfig readClipConfig(const ConfigReader& config);

/// Vision: input "pixel_values", outputs "last_hidden_state" and "pooler_output", or "image_embeds" and
/// "last_hidden_state". Text: input "input_ids" int64 [-1, -1] with the value "attention_mask" (ones unless
/// fed), and the same outputs ("text_embeds"). Both: inputs input_ids and pixel_values, outputs
/// "logits_per_image" [images, texts], "logits_per_text", "text_embeds", "image_embeds", the embeddings of
/// length 1.
[[nodiscard]] Network makeClip(const ModelFolder& folder);

} // namespace qs
