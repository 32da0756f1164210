#include "core/io/preprocess.h"

#include "core/base/error.h"
#include "core/io/image_resize.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

constexpr std::int64_t kMaxSide = 16384; // of a resized picture: a strip of 65535 x 1 would grow without end

/// Where the crop lies along one axis: `from` in the resized picture, `into` in the result.
struct CropSpan
{
    std::int64_t from = 0;
    std::int64_t into = 0;
    std::int64_t length = 0;
};

CropSpan cropSpan(std::int64_t size, std::int64_t crop)
{
    if (size >= crop) {
        return {.from = (size - crop) / 2, .into = 0, .length = crop};
    }
    return {.from = 0, .into = (crop - size) / 2, .length = size};
}

std::int64_t scaledSide(std::int64_t side, std::int64_t shorter, std::int64_t wanted)
{
    const double scaled
        = static_cast<double>(wanted) * static_cast<double>(side) / static_cast<double>(shorter);
    return static_cast<std::int64_t>(std::nearbyint(scaled));
}

} // namespace

Image cropForModel(const Image& image, const Preprocessing& preprocessing)
{
    const std::int64_t height = preprocessing.height;
    const std::int64_t width = preprocessing.width;
    if (preprocessing.resizeShorter == 0) {
        return resizeImage(image, width, height, preprocessing.resampling);
    }
    const std::int64_t shorter = std::min(image.width, image.height);
    const std::int64_t newWidth = scaledSide(image.width, shorter, preprocessing.resizeShorter);
    const std::int64_t newHeight = scaledSide(image.height, shorter, preprocessing.resizeShorter);
    if (std::max(newWidth, newHeight) > std::max(kMaxSide, std::max(image.width, image.height))) {
        throw Error(ErrorCode::Unsupported,
            "a picture of " + std::to_string(image.width) + " x " + std::to_string(image.height)
                + " pixels is too narrow to be resized to " + std::to_string(preprocessing.resizeShorter));
    }
    const CropSpan columns = cropSpan(newWidth, width);
    const CropSpan rows = cropSpan(newHeight, height);
    Image part = resizeImage(image, newWidth, newHeight, preprocessing.resampling,
        {.left = columns.from, .top = rows.from, .width = columns.length, .height = rows.length});
    if (part.width == width && part.height == height) {
        return part;
    }
    Image result {.width = width, .height = height, .pixels = {}};
    result.pixels.resize(static_cast<std::size_t>(width * height * 3));
    for (std::int64_t y = 0; y < rows.length; ++y) {
        std::copy_n(part.pixels.begin() + y * columns.length * 3, columns.length * 3,
            result.pixels.begin() + ((rows.into + y) * width + columns.into) * 3);
    }
    return result;
}

Tensor toModelInput(const Image& image, const Preprocessing& preprocessing)
{
    const Image crop = cropForModel(image, preprocessing);
    Tensor tensor(DType::F32, {3, crop.height, crop.width});
    const std::span<float> values = tensor.mutableData<float>();
    const std::size_t area = values.size() / 3;
    for (std::size_t channel = 0; channel < 3; ++channel) {
        const auto mean = static_cast<float>(preprocessing.mean[channel]);
        const auto deviation = static_cast<float>(preprocessing.standardDeviation[channel]);
        for (std::size_t i = 0; i < area; ++i) {
            const float light = static_cast<float>(crop.pixels[3 * i + channel]) / 255.0F;
            values[channel * area + i] = (light - mean) / deviation;
        }
    }
    return tensor;
}

} // namespace qs
