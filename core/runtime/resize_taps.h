#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace qs {

/// Where the elements along one resized dimension come from: element i of the result is the sum of
/// weights[first[i] ... first[i + 1]) times the elements at `indices`. Without any, it is the extrapolation
/// value.
struct ResizeTaps
{
    std::vector<std::int64_t> first; ///< one more than the result has elements
    std::vector<std::int64_t> indices;
    std::vector<double> weights; ///< sum 1

    [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(first.size()) - 1; }
};

enum class ResizeMode { Nearest, Linear, Cubic };
enum class ResizeCoordinates {
    HalfPixel,
    HalfPixelSymmetric,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
    TfCropAndResize
};
enum class NearestRounding { PreferFloor, PreferCeil, Floor, Ceil };

/// What ONNX's Resize takes from its attributes.
struct ResizeRule
{
    ResizeMode mode = ResizeMode::Nearest;
    ResizeCoordinates coordinates = ResizeCoordinates::HalfPixel;
    NearestRounding rounding = NearestRounding::PreferFloor;
    bool antialias = false; ///< widens the filter when shrinking
    bool excludeOutside = false; ///< weights outside the input count as 0 instead of repeating its border
    double cubicA = -0.75;
};

/// One dimension to resize.
struct ResizedDimension
{
    std::int64_t input = 1;
    std::int64_t output = 1;
    double scale = 1.0; ///< output / input before rounding
    double roiStart = 0.0; ///< fractions of the input, for TfCropAndResize
    double roiEnd = 1.0;
};

/// The taps of a dimension with at least one input element.
[[nodiscard]] ResizeTaps resizeTaps(const ResizeRule& rule, const ResizedDimension& dimension);
/// ONNX's names; empty for others.
[[nodiscard]] std::optional<ResizeMode> resizeModeNamed(std::string_view name);
[[nodiscard]] std::optional<ResizeCoordinates> resizeCoordinatesNamed(std::string_view name);
[[nodiscard]] std::optional<NearestRounding> nearestRoundingNamed(std::string_view name);

} // namespace qs
