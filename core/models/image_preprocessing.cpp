#include "core/models/image_preprocessing.h"

#include "core/base/log.h"
#include "core/io/json_text.h"
#include "core/models/architecture.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

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
    failUnsupported(config, "the interpolation", name);
}

Resampling huggingFaceResampling(const ConfigReader& config)
{
    switch (config.integer("resample", 0, 5).value_or(2)) {
    case 0: return Resampling::Nearest;
    case 2: return Resampling::Bilinear;
    case 3: return Resampling::Bicubic;
    default: config.fail("resample", "only 0 (nearest), 2 (bilinear) and 3 (bicubic) are supported");
    }
}

} // namespace

Preprocessing imageNetPreprocessing(std::int64_t height, std::int64_t width)
{
    return {height, width, 0, Resampling::Bicubic, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
}

Preprocessing readTimmPreprocessing(const ConfigReader& pretrained, std::int64_t height, std::int64_t width)
{
    Preprocessing steps = imageNetPreprocessing(height, width);
    steps.mean = pretrained.triple("mean", -1e6, 1e6).value_or(steps.mean);
    steps.standardDeviation = pretrained.triple("std", 1e-9, 1e6).value_or(steps.standardDeviation);
    steps.resampling = timmResampling(pretrained, pretrained.text("interpolation").value_or("bicubic"));
    const double cropShare = pretrained.number("crop_pct", 0.01, 1.0).value_or(0.875);
    const std::string cropMode = pretrained.text("crop_mode").value_or("center");
    const auto shorter = static_cast<double>(std::min(height, width));
    steps.resizeShorter = static_cast<std::int64_t>(std::floor(shorter / cropShare));
    if (cropMode == "squash" && cropShare == 1.0) {
        steps.resizeShorter = 0;
    } else if (cropMode != "center") {
        log(LogLevel::Warning,
            "'" + pretrained.file().string() + "' asks for the crop mode " + quotedName(cropMode)
                + "; images are cropped at the centre instead");
    }
    return steps;
}

Preprocessing readHuggingFacePreprocessing(
    const std::filesystem::path& directory, const Preprocessing& assumed)
{
    const std::filesystem::path file = directory / "preprocessor_config.json";
    std::error_code ignored; // what cannot be examined cannot be read either
    Preprocessing steps = assumed;
    if (!std::filesystem::exists(file, ignored)) {
        return steps;
    }
    const ConfigReader processor(file);
    steps.mean = processor.triple("image_mean", -1e6, 1e6).value_or(steps.mean);
    steps.standardDeviation = processor.triple("image_std", 1e-9, 1e6).value_or(steps.standardDeviation);
    steps.resampling = huggingFaceResampling(processor);
    if (!processor.flag("do_normalize").value_or(true)) {
        steps.mean = {0, 0, 0};
        steps.standardDeviation = {1, 1, 1};
    }
    if (!processor.flag("do_rescale").value_or(true)
        || std::abs(processor.number("rescale_factor", 0, 1e6).value_or(1.0 / 255) * 255 - 1) > 1e-6) {
        failUnsupported(processor, "pixels", "scaled by something else than 1/255");
    }
    const auto crop
        = processor.flag("do_center_crop").value_or(false) ? processor.extent("crop_size") : std::nullopt;
    const auto size = processor.extent("size");
    steps.resizeShorter = 0;
    if (const auto share = processor.number("crop_pct", 0.01, 1.0); share && *share < 1.0) {
        const auto shorter = static_cast<double>(std::min(steps.height, steps.width));
        steps.resizeShorter = static_cast<std::int64_t>(std::floor(shorter / *share));
    } else if (crop && size) {
        steps.resizeShorter = std::min(size->first, size->second);
    }
    const auto target = crop ? crop : size;
    if (target && *target != std::pair(steps.height, steps.width)) {
        log(LogLevel::Warning,
            "'" + processor.file().string() + "' makes images of " + std::to_string(target->first) + "x"
                + std::to_string(target->second) + ", the model takes " + std::to_string(steps.height) + "x"
                + std::to_string(steps.width));
    }
    return steps;
}

} // namespace qs
