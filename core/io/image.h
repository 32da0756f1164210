#pragma once

#include <cstdint>
#include <vector>

namespace qs {

/// 8-bit RGB picture: `pixels` holds height x width x 3 bytes, rows from the top, channels interleaved.
struct Image
{
    std::int64_t width = 0;
    std::int64_t height = 0;
    std::vector<std::uint8_t> pixels;

    friend bool operator==(const Image&, const Image&) = default;
};

} // namespace qs
