#pragma once

namespace qs {

/// Floating-point operations per second that `threads` threads reach together with independent multiply-adds
/// in registers, at the widest instruction set of this processor.
[[nodiscard]] double measuredPeak(int threads);

} // namespace qs
