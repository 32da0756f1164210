#include "core/methods/image_views.h"

#include "core/base/parallel.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace qs {

namespace {

constexpr double kLeastArea = 0.4;
constexpr double kAspect = 0.2; ///< of the logarithm, to both sides

/// Weights of the two source pixels an output pixel lies between.
struct Tap
{
    std::int64_t first = 0;
    std::int64_t second = 0;
    float share = 0.0F; ///< of the second
};

double uniform(std::mt19937_64& generator)
{
    return static_cast<double>(generator() >> 11U) * 0x1p-53;
}

/// `size` pixels that cover [start, start + extent) of a side of the same size.
std::vector<Tap> tapsOf(std::int64_t size, double start, double extent, bool isMirrored)
{
    std::vector<Tap> taps;
    for (std::int64_t i = 0; i < size; ++i) {
        const auto at = static_cast<double>(isMirrored ? size - 1 - i : i);
        const double centre = start + (at + 0.5) * extent / static_cast<double>(size) - 0.5;
        const double inside = std::clamp(centre, 0.0, static_cast<double>(size - 1));
        const auto first = static_cast<std::int64_t>(inside);
        taps.push_back(
            {first, std::min(first + 1, size - 1), static_cast<float>(inside - static_cast<double>(first))});
    }
    return taps;
}

void resample(const float* plane, std::int64_t width, const std::vector<Tap>& rows,
    const std::vector<Tap>& columns, float* out)
{
    for (const Tap& row : rows) {
        const float* top = plane + row.first * width;
        const float* bottom = plane + row.second * width;
        for (const Tap& column : columns) {
            const float above = top[column.first] + (top[column.second] - top[column.first]) * column.share;
            const float below
                = bottom[column.first] + (bottom[column.second] - bottom[column.first]) * column.share;
            *out++ = above + (below - above) * row.share;
        }
    }
}

} // namespace

bool readsImages(const Model& model)
{
    return model.preprocessing.has_value() && model.graph->inputs().size() == 1;
}

Tensor imageViews(const Tensor& images, std::int64_t views, std::int64_t seed)
{
    const Shape& shape = images.shape();
    const std::int64_t count = shape[0];
    const std::int64_t channels = shape[1];
    const std::int64_t height = shape[2];
    const std::int64_t width = shape[3];
    const std::int64_t plane = height * width;
    Tensor result(DType::F32, Shape {count * views, channels, height, width});
    const auto in = images.data<float>();
    const auto out = result.mutableData<float>();
    std::ranges::copy(in, out.begin());
    parallelFor(count * (views - 1), 1, [&](std::int64_t begin, std::int64_t) {
        const std::int64_t row = count + begin;
        std::mt19937_64 generator(
            static_cast<std::uint64_t>(seed) * 1000003U + static_cast<std::uint64_t>(row));
        const double area = kLeastArea + (1.0 - kLeastArea) * uniform(generator);
        const double aspect = std::exp(kAspect * (2.0 * uniform(generator) - 1.0));
        const double across = std::min(1.0, std::sqrt(area * aspect)) * static_cast<double>(width);
        const double down = std::min(1.0, std::sqrt(area / aspect)) * static_cast<double>(height);
        const double left = uniform(generator) * (static_cast<double>(width) - across);
        const double top = uniform(generator) * (static_cast<double>(height) - down);
        const bool isMirrored = (generator() >> 63U) != 0;
        const auto rows = tapsOf(height, top, down, false);
        const auto columns = tapsOf(width, left, across, isMirrored);
        const float* source = in.data() + row % count * channels * plane;
        float* target = out.data() + row * channels * plane;
        for (std::int64_t c = 0; c < channels; ++c) {
            resample(source + c * plane, width, rows, columns, target + c * plane);
        }
    });
    return result;
}

} // namespace qs
