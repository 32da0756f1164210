#include "core/runtime/resize_taps.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace qs {

namespace {

/// Position in the input that element i of the result shows.
double sourceOf(ResizeCoordinates coordinates, const ResizedDimension& d, std::int64_t i)
{
    const auto x = static_cast<double>(i);
    const auto length = static_cast<double>(d.input);
    const double resized = d.scale * length; // not rounded to whole elements
    const double halfPixel = (x + 0.5) / d.scale - 0.5;
    switch (coordinates) {
    case ResizeCoordinates::HalfPixel: return halfPixel;
    case ResizeCoordinates::PytorchHalfPixel: return d.output > 1 ? halfPixel : 0.0;
    case ResizeCoordinates::HalfPixelSymmetric:
        return length / 2.0 * (1.0 - static_cast<double>(d.output) / resized) + halfPixel;
    case ResizeCoordinates::AlignCorners: return d.output > 1 ? x * (length - 1.0) / (resized - 1.0) : 0.0;
    case ResizeCoordinates::Asymmetric: return x / d.scale;
    case ResizeCoordinates::TfCropAndResize: break;
    }
    const double span = (d.roiEnd - d.roiStart) * (length - 1.0);
    const double within = d.output > 1 ? x * span / static_cast<double>(d.output - 1) : span / 2.0;
    return d.roiStart * (length - 1.0) + within;
}

double nearest(NearestRounding rounding, double source)
{
    switch (rounding) {
    case NearestRounding::Floor: return std::floor(source);
    case NearestRounding::Ceil: return std::ceil(source);
    case NearestRounding::PreferCeil: return std::floor(source + 0.5);
    case NearestRounding::PreferFloor: break;
    }
    return std::ceil(source - 0.5);
}

/// The filter at a distance in input elements: a triangle of radius 1, or Keys' cubic of radius 2.
double filterAt(const ResizeRule& rule, double distance)
{
    const double x = std::abs(distance);
    if (rule.mode == ResizeMode::Linear) {
        return std::max(0.0, 1.0 - x);
    }
    const double a = rule.cubicA;
    if (x <= 1.0) {
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    }
    return x < 2.0 ? ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a : 0.0;
}

void addFiltered(const ResizeRule& rule, const ResizedDimension& d, double source, ResizeTaps& taps)
{
    const double shrink = rule.antialias ? std::min(d.scale, 1.0) : 1.0;
    const double radius = (rule.mode == ResizeMode::Linear ? 1.0 : 2.0) / shrink;
    const std::size_t begin = taps.weights.size();
    double sum = 0.0;
    const auto last = static_cast<std::int64_t>(std::floor(source + radius));
    for (auto k = static_cast<std::int64_t>(std::ceil(source - radius)); k <= last; ++k) {
        const double weight = filterAt(rule, (static_cast<double>(k) - source) * shrink);
        const bool outside = k < 0 || k >= d.input;
        if (weight != 0.0 && !(outside && rule.excludeOutside)) {
            taps.indices.push_back(std::clamp<std::int64_t>(k, 0, d.input - 1));
            taps.weights.push_back(weight);
            sum += weight;
        }
    }
    for (std::size_t i = begin; i < taps.weights.size(); ++i) {
        taps.weights[i] /= sum;
    }
}

} // namespace

ResizeTaps resizeTaps(const ResizeRule& rule, const ResizedDimension& d)
{
    ResizeTaps taps;
    taps.first.push_back(0);
    const auto largest = static_cast<double>(d.input - 1);
    for (std::int64_t i = 0; i < d.output; ++i) {
        const double source = sourceOf(rule.coordinates, d, i);
        const bool beyond
            = rule.coordinates == ResizeCoordinates::TfCropAndResize && !(source >= 0.0 && source <= largest);
        if (!beyond && rule.mode == ResizeMode::Nearest) {
            taps.indices.push_back(
                static_cast<std::int64_t>(std::clamp(nearest(rule.rounding, source), 0.0, largest)));
            taps.weights.push_back(1.0);
        } else if (!beyond) {
            // A source far outside sees the border alone, just as one a filter's width outside does.
            addFiltered(rule, d, std::clamp(source, -4.0, largest + 4.0), taps);
        }
        taps.first.push_back(static_cast<std::int64_t>(taps.indices.size()));
    }
    return taps;
}

std::optional<ResizeMode> resizeModeNamed(std::string_view name)
{
    constexpr std::array<std::pair<std::string_view, ResizeMode>, 3> kNames {
        {{"nearest", ResizeMode::Nearest}, {"linear", ResizeMode::Linear}, {"cubic", ResizeMode::Cubic}}};
    const auto* found = std::ranges::find(kNames, name, &std::pair<std::string_view, ResizeMode>::first);
    return found == kNames.end() ? std::nullopt : std::optional(found->second);
}

std::optional<ResizeCoordinates> resizeCoordinatesNamed(std::string_view name)
{
    using Entry = std::pair<std::string_view, ResizeCoordinates>;
    constexpr std::array<Entry, 6> kNames {{{"half_pixel", ResizeCoordinates::HalfPixel},
        {"half_pixel_symmetric", ResizeCoordinates::HalfPixelSymmetric},
        {"pytorch_half_pixel", ResizeCoordinates::PytorchHalfPixel},
        {"align_corners", ResizeCoordinates::AlignCorners}, {"asymmetric", ResizeCoordinates::Asymmetric},
        {"tf_crop_and_resize", ResizeCoordinates::TfCropAndResize}}};
    const auto* found = std::ranges::find(kNames, name, &Entry::first);
    return found == kNames.end() ? std::nullopt : std::optional(found->second);
}

std::optional<NearestRounding> nearestRoundingNamed(std::string_view name)
{
    using Entry = std::pair<std::string_view, NearestRounding>;
    constexpr std::array<Entry, 4> kNames {{{"round_prefer_floor", NearestRounding::PreferFloor},
        {"round_prefer_ceil", NearestRounding::PreferCeil}, {"floor", NearestRounding::Floor},
        {"ceil", NearestRounding::Ceil}}};
    const auto* found = std::ranges::find(kNames, name, &Entry::first);
    return found == kNames.end() ? std::nullopt : std::optional(found->second);
}

} // namespace qs
