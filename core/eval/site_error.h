#pragma once

#include "core/models/model.h"
#include "core/quant/quantization_error.h"

namespace qs {

/// Squared error of the site's own values under a quantizer: over the calibration's statistics for an
/// activation, over the values themselves for a weight. Throws Error(InvalidArgument) when the calibration
/// lacks the site.
[[nodiscard]] QuantizationError siteError(
    const Model& model, const Calibration& calibration, const Site& site, const QuantParams& params);

} // namespace qs
