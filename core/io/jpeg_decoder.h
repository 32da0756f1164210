#pragma once

#include "core/io/image.h"

#include <cstddef>
#include <span>
#include <string>

namespace qs {

/// Decodes a JPEG: baseline or progressive, grey, YCbCr, RGB, CMYK or YCCK, with libjpeg's accurate integer
/// transform and smooth chroma upsampling (its defaults, as in Pillow). A premature end and broken codes are
/// errors; stray bytes between segments, which cameras and old tools leave, are not. Throws Error(CorruptFile
/// | Unsupported).
[[nodiscard]] Image decodeJpeg(std::span<const std::byte> bytes, const std::string& name);

} // namespace qs
