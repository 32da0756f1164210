#pragma once

#include "core/quant/plan.h"

namespace qs {

/// The choice that gives these quantizers again in a plan: manual bounds. Scales come back within a unit in
/// the last place, zero points as they are but for fractions.
[[nodiscard]] SiteChoice manualChoice(const QuantParams& params);

} // namespace qs
