#include "core/io/image_resize.h"

#include "core/base/error.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace qs {

namespace {

constexpr int kFractionBits = 22; // 8 bits of value, 2 of headroom for overshooting weights, in 32
constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

double bilinear(double x)
{
    x = std::abs(x);
    return x < 1 ? 1 - x : 0;
}

double bicubic(double x)
{
    constexpr double a = -0.5;
    x = std::abs(x);
    if (x < 1) {
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/// For each output position of one axis: the first input position, and weights that sum to about
/// 2^kFractionBits.
struct AxisWeights
{
    std::size_t taps = 0; ///< room for weights per position
    std::vector<std::int64_t> first;
    std::vector<std::int64_t> count;
    std::vector<std::int32_t> weights;

    [[nodiscard]] const std::int32_t* of(std::size_t position) const
    {
        return weights.data() + position * taps;
    }
};

std::int32_t toFixed(double weight)
{
    const double scaled = weight * (1 << kFractionBits);
    return static_cast<std::int32_t>(
        weight < 0 ? scaled - 0.5 : scaled + 0.5); // half away from zero, as Pillow
}

/// Positions [from, from + length) of an axis resized from `source` to `target`.
AxisWeights weightsOf(
    std::int64_t source, std::int64_t target, Resampling filter, std::int64_t from, std::int64_t length)
{
    const double scale = static_cast<double>(source) / static_cast<double>(target);
    const double stretch = std::max(scale, 1.0);
    const double support = (filter == Resampling::Bicubic ? 2.0 : 1.0) * stretch;
    AxisWeights axis;
    axis.taps = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;
    axis.weights.resize(axis.taps * static_cast<std::size_t>(length));
    std::vector<double> exact(axis.taps);
    for (std::int64_t position = 0; position < length; ++position) {
        const double centre = (static_cast<double>(from + position) + 0.5) * scale;
        const auto begin = std::max<std::int64_t>(0, static_cast<std::int64_t>(centre - support + 0.5));
        const auto end = std::min(source, static_cast<std::int64_t>(centre + support + 0.5));
        const auto count = static_cast<std::size_t>(end - begin);
        double sum = 0;
        for (std::size_t tap = 0; tap < count; ++tap) {
            const double distance
                = (static_cast<double>(static_cast<std::int64_t>(tap) + begin) - centre + 0.5)
                * (1.0 / stretch);
            exact[tap] = filter == Resampling::Bicubic ? bicubic(distance) : bilinear(distance);
            sum += exact[tap];
        }
        std::int32_t* target32 = axis.weights.data() + static_cast<std::size_t>(position) * axis.taps;
        for (std::size_t tap = 0; tap < count; ++tap) {
            target32[tap] = toFixed(sum != 0 ? exact[tap] / sum : exact[tap]);
        }
        axis.first.push_back(begin);
        axis.count.push_back(static_cast<std::int64_t>(count));
    }
    return axis;
}

std::uint8_t toByte(std::int32_t sum)
{
    return static_cast<std::uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

/// One row of 3-channel pixels, `columns` from `axis`.
void resizeRow(const std::uint8_t* source, const AxisWeights& axis, std::uint8_t* target)
{
    for (std::size_t x = 0; x < axis.first.size(); ++x) {
        const std::uint8_t* pixel = source + 3 * axis.first[x];
        const std::int32_t* weight = axis.of(x);
        std::int32_t red = kHalf;
        std::int32_t green = kHalf;
        std::int32_t blue = kHalf;
        for (std::int64_t tap = 0; tap < axis.count[x]; ++tap, pixel += 3) {
            red += pixel[0] * weight[tap];
            green += pixel[1] * weight[tap];
            blue += pixel[2] * weight[tap];
        }
        target[3 * x] = toByte(red);
        target[3 * x + 1] = toByte(green);
        target[3 * x + 2] = toByte(blue);
    }
}

/// Columns [left, left + width) of rows [top, top + height), resized along the rows when `axis` is not null.
Image horizontalPass(const Image& image, const AxisWeights* axis, const ImageWindow& rows)
{
    Image result {.width = rows.width, .height = rows.height, .pixels = {}};
    const std::size_t sourceStride = static_cast<std::size_t>(image.width) * 3;
    const std::size_t stride = static_cast<std::size_t>(rows.width) * 3;
    result.pixels.resize(stride * static_cast<std::size_t>(rows.height));
    for (std::int64_t y = 0; y < rows.height; ++y) {
        const std::uint8_t* source
            = image.pixels.data() + static_cast<std::size_t>(rows.top + y) * sourceStride;
        std::uint8_t* target = result.pixels.data() + static_cast<std::size_t>(y) * stride;
        if (axis != nullptr) {
            resizeRow(source, *axis, target);
        } else {
            std::copy_n(source + 3 * rows.left, stride, target);
        }
    }
    return result;
}

/// `image` holds the input's rows from `firstRow` on.
Image verticalPass(const Image& image, const AxisWeights& axis, std::int64_t firstRow)
{
    Image result {.width = image.width, .height = static_cast<std::int64_t>(axis.first.size()), .pixels = {}};
    const std::size_t stride = static_cast<std::size_t>(image.width) * 3;
    result.pixels.resize(stride * axis.first.size());
    std::vector<std::int32_t> sums(stride);
    for (std::size_t y = 0; y < axis.first.size(); ++y) {
        std::fill(sums.begin(), sums.end(), kHalf);
        for (std::int64_t tap = 0; tap < axis.count[y]; ++tap) {
            const std::uint8_t* row
                = image.pixels.data() + static_cast<std::size_t>(axis.first[y] - firstRow + tap) * stride;
            const std::int32_t weight = axis.of(y)[tap];
            for (std::size_t i = 0; i < stride; ++i) {
                sums[i] += row[i] * weight;
            }
        }
        std::transform(sums.begin(), sums.end(),
            result.pixels.begin() + static_cast<std::ptrdiff_t>(y * stride), toByte);
    }
    return result;
}

/// Input positions under the centres of the outputs [from, from + length); the steps add up, as in Pillow.
std::vector<std::int64_t> nearestPositions(
    std::int64_t source, std::int64_t target, std::int64_t from, std::int64_t length)
{
    const double scale = static_cast<double>(source) / static_cast<double>(target);
    std::vector<std::int64_t> positions;
    double at = scale * 0.5;
    for (std::int64_t position = 0; position < from + length; ++position, at += scale) {
        if (position >= from) {
            positions.push_back(std::min(source - 1, static_cast<std::int64_t>(at)));
        }
    }
    return positions;
}

Image nearest(const Image& image, std::int64_t width, std::int64_t height, const ImageWindow& window)
{
    const auto columns = nearestPositions(image.width, width, window.left, window.width);
    const auto rows = nearestPositions(image.height, height, window.top, window.height);
    Image result {.width = window.width, .height = window.height, .pixels = {}};
    result.pixels.reserve(columns.size() * rows.size() * 3);
    for (const std::int64_t row : rows) {
        for (const std::int64_t column : columns) {
            const auto pixel = image.pixels.begin() + 3 * (row * image.width + column);
            result.pixels.insert(result.pixels.end(), pixel, pixel + 3);
        }
    }
    return result;
}

} // namespace

Image resizeImage(const Image& image, std::int64_t width, std::int64_t height, Resampling filter)
{
    return resizeImage(image, width, height, filter, {.left = 0, .top = 0, .width = width, .height = height});
}

Image resizeImage(
    const Image& image, std::int64_t width, std::int64_t height, Resampling filter, const ImageWindow& window)
{
    assert(window.left >= 0 && window.top >= 0 && window.left + window.width <= width
        && window.top + window.height <= height);
    if (image.width < 1 || image.height < 1 || width < 1 || height < 1) {
        throw Error(ErrorCode::InvalidArgument, "a picture without pixels cannot be resized");
    }
    if (filter == Resampling::Nearest) {
        return nearest(image, width, height, window);
    }
    ImageWindow rows = window; // of the input, as far as the vertical pass needs them
    AxisWeights vertical;
    if (height != image.height) {
        vertical = weightsOf(image.height, height, filter, window.top, window.height);
        rows.top = vertical.first.front();
        rows.height = vertical.first.back() + vertical.count.back() - rows.top;
    }
    AxisWeights horizontal;
    if (width != image.width) {
        horizontal = weightsOf(image.width, width, filter, window.left, window.width);
    }
    Image result = horizontalPass(image, width != image.width ? &horizontal : nullptr, rows);
    return height != image.height ? verticalPass(result, vertical, rows.top) : result;
}

} // namespace qs
