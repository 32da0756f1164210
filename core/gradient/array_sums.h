#pragma once

#include "core/runtime/array.h"

namespace qs {

/// Dense F32 zeros.
[[nodiscard]] Array zeroArray(BufferPool& pool, const Dims& dims);
/// target += addend, both F32 and of the same dims, target dense.
void addInto(const Array& target, const Array& addend);
/// The gradient of a value of these dims that was repeated to the gradient's: sums over repeated dimensions,
/// in double, in row-major order of the gradient. Itself when nothing was repeated.
[[nodiscard]] Array summedTo(const Array& gradient, const Dims& dims, BufferPool& pool);

} // namespace qs
