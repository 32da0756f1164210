#pragma once

#include <cstdint>

namespace qs {

/// Memory of the calling thread for `floats` floats, 64-byte aligned, kept for its later calls: valid until
/// the thread asks again.
[[nodiscard]] float* threadScratch(std::int64_t floats);

} // namespace qs
