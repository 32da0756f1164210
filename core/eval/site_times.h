#pragma once

#include "core/models/model.h"
#include "core/runtime/execution_profile.h"

#include <map>
#include <string>
#include <vector>

namespace qs {

/// Seconds by site name.
using SiteTimes = std::map<std::string, double>;

/// The time of every node, given to exactly one site, so that the sites of a block add up to the block and
/// all sites to the model: a node that reads a weight site counts to the weight; any other to the activation
/// site that it makes, or else to the one that the first reader of its result counts to; what follows the
/// last site counts to the site of its first input's maker. Times are 0 for all sites that no node counts to,
/// and what no site can be found for is left out.
[[nodiscard]] SiteTimes siteTimes(const Model& model, const std::vector<NodeCost>& nodes);

} // namespace qs
