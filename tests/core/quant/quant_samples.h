#pragma once

#include "core/quant/quantizer.h"
#include "core/stats/site_statistics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

namespace qs::samples {

/// Parameters of one scale, given directly.
inline QuantParams params(
    QuantizerKind kind, Symmetry symmetry, int bits, float scale, std::int32_t zeroPoint = 0)
{
    QuantParams result;
    result.kind = kind;
    result.symmetry = symmetry;
    result.bits = bits;
    result.scales = {scale};
    result.zeroPoints = {zeroPoint};
    result.bounds = {Bounds {}};
    return result;
}

/// Quantize-dequantize of one value as methods.md 0.2 and 1.4 write it, in float division and double
/// logarithm.
inline float reference(float x, const QuantParams& params, std::size_t index)
{
    const float s = params.scales[index];
    if (params.kind == QuantizerKind::Uniform) {
        const double code = std::clamp(std::nearbyint(static_cast<double>(x / s)) + params.zeroPoints[index],
            static_cast<double>(params.minimumCode()), static_cast<double>(params.maximumCode()));
        return static_cast<float>(code - params.zeroPoints[index]) * s;
    }
    const double k = params.kind == QuantizerKind::Log2 ? 1.0 : 2.0;
    if (!(x > 0.0F)) {
        return 0.0F;
    }
    const double q = std::nearbyint(-k * std::log2(static_cast<double>(x) / static_cast<double>(s)));
    if (q > params.maximumCode()) {
        return 0.0F;
    }
    return static_cast<float>(static_cast<double>(s) * std::exp2(-std::max(q, 0.0) / k));
}

/// Moments by the plain definition: every value in the bin of its floor, on a grid of 2^exponent.
inline GroupStatistics linearStatistics(const std::vector<float>& values, int exponent)
{
    GroupStatistics group;
    if (values.empty()) {
        return group;
    }
    const double width = std::ldexp(1.0, exponent);
    const auto [least, most] = std::ranges::minmax(values);
    Histogram& histogram = group.histogram;
    histogram.width = width;
    histogram.firstBin = static_cast<std::int64_t>(std::floor(static_cast<double>(least) / width));
    const auto last = static_cast<std::int64_t>(std::floor(static_cast<double>(most) / width));
    const auto bins = static_cast<std::size_t>(last - histogram.firstBin + 1);
    histogram.counts.assign(bins, 0);
    histogram.sums.assign(bins, 0.0);
    histogram.squares.assign(bins, 0.0);
    group.count = values.size();
    group.minimum = least;
    group.maximum = most;
    for (const float value : values) {
        const double x = value;
        const auto bin
            = static_cast<std::size_t>(static_cast<std::int64_t>(std::floor(x / width)) - histogram.firstBin);
        ++histogram.counts[bin];
        histogram.sums[bin] += x;
        histogram.squares[bin] += x * x;
        group.sum += x;
        group.sumOfSquares += x * x;
    }
    return group;
}

/// Same for values in (0, 1] on octaves cut into `perOctave` equal parts, down to 2^-octaves.
inline GroupStatistics log2Statistics(const std::vector<float>& values, int perOctave, int octaves)
{
    GroupStatistics group;
    group.count = values.size();
    const auto [least, most] = std::ranges::minmax(values);
    group.minimum = least;
    group.maximum = most;
    Histogram& histogram = group.histogram;
    histogram.scale = BinScale::Log2;
    histogram.width = 1.0 / perOctave;
    histogram.firstBin = -static_cast<std::int64_t>(octaves) * perOctave;
    const auto bins = static_cast<std::size_t>(octaves * perOctave + 1); // the last begins at 1
    histogram.counts.assign(bins, 0);
    histogram.sums.assign(bins, 0.0);
    histogram.squares.assign(bins, 0.0);
    for (const float value : values) {
        const double x = value;
        group.sum += x;
        group.sumOfSquares += x * x;
        if (x < std::ldexp(1.0, -octaves)) {
            ++histogram.zeros;
            continue;
        }
        const int octave = std::ilogb(x);
        const auto part = static_cast<std::int64_t>((std::ldexp(x, -octave) - 1.0) * perOctave);
        const auto bin = static_cast<std::size_t>(octave * perOctave + part - histogram.firstBin);
        ++histogram.counts[bin];
        histogram.sums[bin] += x;
        histogram.squares[bin] += x * x;
    }
    return group;
}

inline std::vector<float> normal(std::size_t count, unsigned seed, float mean = 0.0F, float deviation = 1.0F)
{
    std::mt19937 generator(seed);
    std::normal_distribution<float> distribution(mean, deviation);
    std::vector<float> values(count);
    std::ranges::generate(values, [&] { return distribution(generator); });
    return values;
}

/// Normal values around 0.2 in one of four shapes: as they are, cubed, all above 2, cut off at GELU's minimum.
inline std::vector<float> ofShape(std::size_t count, int shape)
{
    std::vector<float> values = normal(count, static_cast<unsigned>(10 + shape), 0.2F);
    for (float& x : values) {
        x = shape == 1 ? x * x * x : shape == 2 ? std::abs(x) + 2.0F : shape == 3 ? std::max(x, -0.17F) : x;
    }
    return values;
}

/// Rows of attention probabilities: softmax of normal logits.
inline std::vector<float> attention(std::size_t rows, std::size_t width, unsigned seed, float sharpness)
{
    std::vector<float> values = normal(rows * width, seed, 0.0F, sharpness);
    for (std::size_t row = 0; row < rows; ++row) {
        double sum = 0.0;
        for (std::size_t i = row * width; i < (row + 1) * width; ++i) {
            sum += std::exp(static_cast<double>(values[i]));
        }
        for (std::size_t i = row * width; i < (row + 1) * width; ++i) {
            values[i] = static_cast<float>(std::exp(static_cast<double>(values[i])) / sum);
        }
    }
    return values;
}

} // namespace qs::samples
