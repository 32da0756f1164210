#pragma once

#include "core/models/model.h"
#include "core/quant/reparameterization.h"
#include "core/quant/resolve.h"

#include <vector>

namespace qs {

/// Puts into the channels of each reparameterization the bounds that training has moved them to: what values
/// of the norm of `original` the one quantizer of the tensor clips behind the norm of `trained`. With gamma n
/// + beta there and gamma' n + beta' here the bound u' of the tensor is beta + gamma (u' - beta') / gamma'.
/// Scales, zero points and everything else stay: they are replayed before what was trained is put in.
/// Channels whose gamma or gamma' is 0 keep their bounds.
void setLearnedBounds(const Model& original, const Model& trained, const ResolvedPlan& quantizers,
    std::vector<Reparameterization>& reparameterizations);

} // namespace qs
