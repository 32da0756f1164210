#pragma once

#include "core/io/image.h"

#include <cstddef>
#include <span>
#include <string>

namespace qs {

/// Decodes a PNG of any colour type and depth, interlaced or not; gamma and colour profiles are not applied,
/// alpha is dropped. Wrong checksums are errors. Throws Error(CorruptFile | Unsupported).
[[nodiscard]] Image decodePng(std::span<const std::byte> bytes, const std::string& name);

} // namespace qs
