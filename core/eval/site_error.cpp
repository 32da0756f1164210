#include "core/eval/site_error.h"

#include "core/base/error.h"
#include "core/quant/weight_error.h"

namespace qs {

namespace {

const SiteStatistics& statisticsOf(const Calibration& calibration, const Site& site)
{
    const auto found = calibration.sites.find(site.name);
    if (found == calibration.sites.end()) {
        throw Error(
            ErrorCode::InvalidArgument, "the calibration has no statistics of site '" + site.name + "'");
    }
    return *found->second;
}

} // namespace

QuantizationError siteError(
    const Model& model, const Calibration& calibration, const Site& site, const QuantParams& params)
{
    if (site.kind == SiteKind::Weight) {
        return weightQuantizationError(
            model.graph->value(site.value).constant.toF32(), params, site.weightAxis);
    }
    return quantizationError(statisticsOf(calibration, site), params);
}

} // namespace qs
