#pragma once

#include "core/graph/graph.h"

namespace qs {

/// A tensor from a file in the element type that a graph's input takes: floating-point inputs take numbers of
/// any type (as F32), integer inputs integers of any type within their range, BOOL inputs integers as well
/// (anything but 0 is true). Throws Error(InvalidArgument) naming the input.
[[nodiscard]] Tensor inputTensor(const Value& input, const Tensor& given);

} // namespace qs
