#include "core/eval/input_check.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace qs {

namespace {

using Triple = std::array<double, 3>;

/// x = (pixel / 255 - mean) / deviation.
struct Normalisation
{
    const char* name;
    Triple mean;
    Triple deviation;
};

/// What preparation is mistaken for most often.
constexpr std::array kUsual {
    Normalisation {"ImageNet's mean and deviation", {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}},
    Normalisation {"mean 0.5 and deviation 0.5", {0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}},
    Normalisation {"CLIP's mean and deviation", {0.48145466, 0.4578275, 0.40821073},
        {0.26862954, 0.26130258, 0.27577711}},
    Normalisation {"pixels between 0 and 1", {0.0, 0.0, 0.0}, {1.0, 1.0, 1.0}},
    Normalisation {"pixels between 0 and 255", {0.0, 0.0, 0.0}, {1.0 / 255, 1.0 / 255, 1.0 / 255}}};

constexpr double kOvershoot = 0.06; ///< resampling in floating point leaves 0 .. 1 by about this much
constexpr double kLeastRange = 0.8; ///< part of 0 .. 1 that the pixels of several pictures use
constexpr double kDarkest = 0.08; ///< mean pixel
constexpr double kBrightest = 0.92;
constexpr double kOrdinaryMean = 0.45; ///< of the pixels of photographs
constexpr double kOrdinaryDeviation = 0.27;
constexpr std::int64_t kSeveral = 4; ///< pictures; fewer may be anything

struct Channel
{
    double mean;
    double deviation;
    double minimum;
    double maximum;
};

/// Pixels as they were before preparing.
struct Pixels
{
    double least = 1e300;
    double most = -1e300;
    double mean = 0.0;
};

Pixels undone(const std::array<Channel, 3>& channels, const Triple& mean, const Triple& deviation)
{
    Pixels pixels;
    for (std::size_t c = 0; c < channels.size(); ++c) {
        pixels.least = std::min(pixels.least, channels[c].minimum * deviation[c] + mean[c]);
        pixels.most = std::max(pixels.most, channels[c].maximum * deviation[c] + mean[c]);
        pixels.mean += (channels[c].mean * deviation[c] + mean[c]) / 3.0;
    }
    return pixels;
}

bool isPicture(const Pixels& pixels, std::int64_t samples)
{
    const bool possible = pixels.least >= -kOvershoot && pixels.most <= 1.0 + kOvershoot;
    const bool usual
        = pixels.most - pixels.least >= kLeastRange && pixels.mean >= kDarkest && pixels.mean <= kBrightest;
    return possible && (usual || samples < kSeveral);
}

std::string rounded(double value)
{
    char text[40];
    std::snprintf(text, sizeof text, "%.3g", std::abs(value) < 5e-4 ? 0.0 : value);
    return text;
}

std::string listed(const Triple& values)
{
    return "(" + rounded(values[0]) + ", " + rounded(values[1]) + ", " + rounded(values[2]) + ")";
}

std::optional<std::array<Channel, 3>> inputChannels(const Model& model, const Calibration& calibration)
{
    if (!model.preprocessing || model.graph->inputs().empty()) {
        return std::nullopt;
    }
    for (const Site& site : model.sites) {
        const auto statistics = calibration.find(site.name);
        if (site.kind != SiteKind::Activation || site.value != model.graph->inputs().front() || !statistics
            || statistics->groups.size() != 3) {
            continue;
        }
        std::array<Channel, 3> channels {};
        for (std::size_t c = 0; c < channels.size(); ++c) {
            const GroupStatistics& group = statistics->groups[c];
            const auto count = static_cast<double>(std::max<std::uint64_t>(group.count, 1));
            const double mean = group.sum / count;
            channels[c] = {mean, std::sqrt(std::max(group.sumOfSquares / count - mean * mean, 0.0)),
                static_cast<double>(group.minimum), static_cast<double>(group.maximum)};
        }
        return channels;
    }
    return std::nullopt;
}

std::string sentenceFor(const std::array<Channel, 3>& channels, const InputCheck& check,
    const Preprocessing& expected, std::int64_t samples)
{
    const Pixels pixels = undone(channels, expected.mean, expected.standardDeviation);
    std::string likely;
    for (const Normalisation& usual : kUsual) {
        if (isPicture(undone(channels, usual.mean, usual.deviation), samples)) {
            likely += (likely.empty() ? "" : " or ") + std::string(usual.name);
        }
    }
    double mean = 0.0; // that ordinary pictures get
    double deviation = 0.0;
    for (std::size_t c = 0; c < 3; ++c) {
        mean += (kOrdinaryMean - expected.mean[c]) / expected.standardDeviation[c] / 3.0;
        deviation += kOrdinaryDeviation / expected.standardDeviation[c] / 3.0;
    }
    return "The calibration input has mean " + listed(check.mean) + " and deviation "
        + listed(check.standardDeviation) + ": undone with the model's own mean " + listed(expected.mean)
        + " and deviation " + listed(expected.standardDeviation) + ", pixels would lie between "
        + rounded(pixels.least) + " and " + rounded(pixels.most) + " instead of 0 and 1"
        + (likely.empty() ? "" : "; it looks like " + likely)
        + ". The model expects (pixel / 255 - mean) / deviation with its own values, of ordinary pictures "
          "about "
        + rounded(mean) + " +- " + rounded(deviation)
        + ": prepare the data again, or open the pictures themselves.";
}

} // namespace

std::optional<InputCheck> checkInput(const Model& model, const Calibration& calibration)
{
    const auto channels = inputChannels(model, calibration);
    if (!channels) {
        return std::nullopt;
    }
    InputCheck check;
    check.minimum = channels->front().minimum;
    check.maximum = channels->front().maximum;
    for (std::size_t c = 0; c < channels->size(); ++c) {
        const Channel& channel = (*channels)[c];
        check.mean[c] = channel.mean;
        check.standardDeviation[c] = channel.deviation;
        check.minimum = std::min(check.minimum, channel.minimum);
        check.maximum = std::max(check.maximum, channel.maximum);
    }
    const Preprocessing& expected = *model.preprocessing;
    check.fits
        = isPicture(undone(*channels, expected.mean, expected.standardDeviation), calibration.sampleCount);
    if (!check.fits) {
        check.sentence = sentenceFor(*channels, check, expected, calibration.sampleCount);
    }
    return check;
}

} // namespace qs
