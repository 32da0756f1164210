#include "app/jobs/resolve_ghost.h"

#include "core/eval/site_error.h"
#include "core/quant/resolve.h"

namespace qs {

GhostQuantizer resolveGhost(const Model& model, const Calibration& calibration, const Site& site,
    const GhostChoice& ghost, const TaskContext& context)
{
    context.throwIfCancelled();
    GhostQuantizer quantizer {ghost.label, resolveSite(model, site, ghost.choice, calibration, context), 0.0};
    quantizer.sqnrDb = siteError(model, calibration, site, quantizer.params).sqnrDb();
    return quantizer;
}

} // namespace qs
