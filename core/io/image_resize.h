#pragma once

#include "core/io/image.h"
#include "core/models/model.h"

#include <cstdint>

namespace qs {

/// A rectangle of pixels.
struct ImageWindow
{
    std::int64_t left = 0;
    std::int64_t top = 0;
    std::int64_t width = 0;
    std::int64_t height = 0;
};

/// Pillow's Image.resize((width, height), filter) bit for bit: bilinear and bicubic (a = -0.5) are
/// antialiased (their support grows with the reduction) and separable, horizontal first; weights have 22
/// fractional bits and each pass rounds to 8 bits. Nearest takes the pixel under the centre.
[[nodiscard]] Image resizeImage(
    const Image& image, std::int64_t width, std::int64_t height, Resampling filter);

/// The part `window` of that picture, computing no more than it needs. The window must lie inside.
[[nodiscard]] Image resizeImage(const Image& image, std::int64_t width, std::int64_t height,
    Resampling filter, const ImageWindow& window);

} // namespace qs
