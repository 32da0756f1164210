#pragma once

#include "core/graph/quantizer_extraction.h"
#include "core/quant/plan.h"

#include <string>
#include <vector>

namespace qs {

/// The quantizers of a file in QDQ form as choices for a model's sites.
struct StoredPlan
{
    Plan plan; ///< bounds are manual, and such that scales and zero points come out as in the file
    std::vector<std::string> leftOut; ///< values whose quantizer has no site here, or a form no choice has
};

/// A quantizer belongs to the site that stands on its value, or behind it with nothing but moved elements
/// between (one scale only). Stored codes are shifted to those of QuantParams, where symmetric quantizers leave
/// the lowest code of all alone: what can give that one (int8 without a clip, a weight that holds -128) becomes
/// asymmetric, int8 as 0..255 with 128 added to its zero points; the rest is symmetric where all zero points
/// are 0. Bits of weights are the fewest that hold the codes that occur.
[[nodiscard]] StoredPlan planFromStored(
    const Graph& graph, const std::vector<Site>& sites, const std::vector<StoredQuantizer>& quantizers);

} // namespace qs
