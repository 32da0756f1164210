#pragma once

#include "core/models/config_reader.h"
#include "core/models/model.h"

#include <filesystem>

namespace qs {

/// ImageNet's mean and deviation, bicubic, straight to height x width.
[[nodiscard]] Preprocessing imageNetPreprocessing(std::int64_t height, std::int64_t width);

/// timm's evaluation transform, from "pretrained_cfg" (or the top of older files): shorter side to
/// floor(size / crop_pct), then a centre crop; crop_mode "squash" with crop_pct 1 resizes straight to the
/// input size. Throws Error: CorruptFile, Unsupported.
[[nodiscard]] Preprocessing readTimmPreprocessing(
    const ConfigReader& pretrained, std::int64_t height, std::int64_t width);

/// `directory`/preprocessor_config.json over `assumed`: resize to `size`, optionally a centre crop to
/// `crop_size`. Without a crop the image is resized straight to the input (resizeShorter = 0); with one, the
/// shorter side goes to `size`. `assumed` itself where there is no such file. Throws Error: CorruptFile,
/// Unsupported.
[[nodiscard]] Preprocessing readHuggingFacePreprocessing(
    const std::filesystem::path& directory, const Preprocessing& assumed);

} // namespace qs
