#pragma once

#include "core/graph/site.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace qs {

enum class QuantizerKind {
    Uniform, ///< x^ = (clamp(round(x / s) + z, qmin, qmax) - z) s
    Log2, ///< x^ = d 2^(-q), q = round(-log2(x / d)); q >= 2^b gives 0
    LogSqrt2, ///< x^ = d 2^(-q/2), q = round(-2 log2(x / d)); q >= 2^b gives 0 (methods.md 1.4)
    AdaLog ///< the same with codes per octave of 37 / a, a = 10 .. 138 (core/quant/ada_log.h)
};
inline constexpr std::array kQuantizerKinds {
    QuantizerKind::Uniform, QuantizerKind::Log2, QuantizerKind::LogSqrt2, QuantizerKind::AdaLog};

enum class Symmetry {
    Asymmetric, ///< codes 0 .. 2^b - 1, integer zero point anywhere in int32
    Symmetric ///< zero point 0, codes -(2^(b-1) - 1) .. 2^(b-1) - 1
};

enum class Granularity {
    Tensor, ///< one scale
    Group ///< one scale per channel or head of the site (weights: per output channel)
};

/// How the clipping bounds come about.
enum class BoundMethod {
    MinMax,
    Percentile, ///< best of the RepQ-ViT candidates {0.999, 0.9999, 0.99999} by squared error
                ///< (methods.md 1.2)
    Mse, ///< least squared error over shrunken min-max ranges
    Kl, ///< least divergence of histograms over the same ranges (entropy calibration)
    Manual ///< SiteChoice::manualBounds
};
/// Those that find the bounds by themselves.
inline constexpr std::array kAutomaticMethods {
    BoundMethod::MinMax, BoundMethod::Percentile, BoundMethod::Mse, BoundMethod::Kl};

/// Closed interval of values that are not clipped. lower <= upper, both finite.
struct Bounds
{
    double lower = 0.0;
    double upper = 0.0;

    friend bool operator==(const Bounds&, const Bounds&) = default;
};

inline constexpr int kMinBits = 2;
inline constexpr int kMaxBits = 16;

/// A quantizer ready to run: one scale (and zero point) per tensor or per group.
struct QuantParams
{
    QuantizerKind kind = QuantizerKind::Uniform;
    Symmetry symmetry = Symmetry::Asymmetric;
    Granularity granularity = Granularity::Tensor;
    GroupAxis axis = GroupAxis::Channel;
    int bits = 8;
    std::vector<float> scales; ///< step s (uniform) or d (logarithmic); > 0; size 1 or the number of groups
    std::vector<std::int32_t> zeroPoints; ///< same size; 0 for symmetric and logarithmic
    std::vector<Bounds> bounds; ///< same size: the bounds the scales were made from; AdaLog's base is in them
    /// Empty, or same size: added to the zero points, within [-0.5, 0.5]. Only for what the published
    /// RepQ-ViT code computes (methods.md 1.3); no integer runtime has it, and exporters refuse it.
    std::vector<float> zeroPointFractions {};

    [[nodiscard]] std::int32_t minimumCode() const;
    [[nodiscard]] std::int32_t maximumCode() const;
    /// Zero point of a group, with its fraction where there is one.
    [[nodiscard]] double zeroPoint(std::size_t index) const
    {
        return zeroPoints[index]
            + (zeroPointFractions.empty() ? 0.0 : static_cast<double>(zeroPointFractions[index]));
    }
    [[nodiscard]] std::size_t index(std::int64_t group) const
    {
        return scales.size() == 1 ? 0 : static_cast<std::size_t>(group);
    }

    friend bool operator==(const QuantParams&, const QuantParams&) = default;
};

[[nodiscard]] std::string_view nameOf(QuantizerKind kind); ///< "uniform", "log2", "log-sqrt2", "adalog"
[[nodiscard]] std::string_view nameOf(Symmetry symmetry); ///< "asymmetric", "symmetric"
[[nodiscard]] std::string_view nameOf(Granularity granularity); ///< "tensor", "group"
[[nodiscard]] std::string_view nameOf(BoundMethod method); ///< "min-max", "percentile", "mse", "kl", "manual"

} // namespace qs
