#pragma once

#include "core/tensor/dtype.h"

#include <cstddef>

namespace qs {

/// F32, F16 or BF16: the types weights come in.
[[nodiscard]] bool isWeightType(DType type);

/// `count` values of a weight type, at any address, as floats, exact.
void weightsToFloat(DType type, const std::byte* source, std::size_t count, float* target);

} // namespace qs
