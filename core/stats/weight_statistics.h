#pragma once

#include "core/stats/site_statistics.h"
#include "core/tensor/tensor.h"

#include <string>

namespace qs {

/// Statistics of a weight's values, one group per output channel along `axis`; any float type. Same bits for
/// any thread count. Throws Error(ShapeMismatch) when the tensor has no such axis.
[[nodiscard]] SiteStatistics weightStatistics(const std::string& site, const Tensor& weight, int axis);

} // namespace qs
