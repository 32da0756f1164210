#pragma once

#include "core/models/activation.h"
#include "core/models/model.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace qs {

/// Whose names and defaults a directory follows.
enum class VitForm { Timm, HuggingFace };

enum class VitPooling { Token, Average };

/// What config.json (and preprocessor_config.json) says of a ViT or DeiT. Sizes the file does not state stay
/// empty: the tensors decide them, and those that are stated must agree with the tensors.
struct VitConfig
{
    std::filesystem::path file; ///< config.json, for sentences
    VitForm form = VitForm::Timm;
    std::string architecture; ///< "deit_tiny_patch16_224"; Hugging Face: the directory's name
    std::string prefix; ///< Hugging Face: "vit" or "deit", the first part of its tensor names
    std::optional<std::int64_t> imageHeight; ///< pixels
    std::optional<std::int64_t> imageWidth;
    std::optional<std::int64_t> patchHeight;
    std::optional<std::int64_t> patchWidth;
    std::optional<std::int64_t> channels;
    std::optional<std::int64_t> embedDim;
    std::optional<std::int64_t> depth; ///< number of blocks
    std::optional<std::int64_t> heads;
    std::optional<std::int64_t> mlpDim;
    std::optional<std::int64_t> classes;
    bool qkvBias = true; ///< query, key and value have biases
    VitPooling pooling = VitPooling::Token;
    double layerNormEpsilon = 1e-6;
    ActivationFunction activation;
    Preprocessing preprocessing;
};

/// Reads `directory`/config.json in timm's form ("architecture") or Hugging Face's ("model_type": "vit" or
/// "deit"), and preprocessor_config.json beside it. Throws Error: Io, CorruptFile (a value of the wrong type
/// or outside what is possible), Unsupported (another architecture or activation); the sentence names file
/// and key.
[[nodiscard]] VitConfig readVitConfig(const std::filesystem::path& directory);

} // namespace qs
