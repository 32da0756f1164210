#pragma once

#include "core/base/task_context.h"
#include "core/models/model.h"
#include "core/stats/site_statistics.h"
#include "widgets/plot/ghost_quantizer.h"

namespace qs {

/// What another choice would come to at a site: its quantizer, and its error on the site's own values. Throws
/// Error(InvalidArgument) naming the site when the calibration lacks it, Error(Cancelled).
[[nodiscard]] GhostQuantizer resolveGhost(const Model& model, const Calibration& calibration,
    const Site& site, const GhostChoice& ghost, const TaskContext& context = {});

} // namespace qs
