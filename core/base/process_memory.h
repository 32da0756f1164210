#pragma once

#include <cstdint>

namespace qs {

/// Most bytes of physical memory this process has held at once, mapped files included; 0 when unknown.
[[nodiscard]] std::int64_t peakResidentBytes();

} // namespace qs
