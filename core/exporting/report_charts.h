#pragma once

#include "core/exporting/report.h"
#include "core/quant/quantization_error.h"
#include "core/quant/resolve.h"

#include <map>
#include <string>
#include <vector>

namespace qs {

/// A chart of the report: an SVG document ("" where the sentence says it all) and the sentence below it.
struct ReportChart
{
    std::string svg;
    std::string caption;
};

/// SQNR behind every layer of the evaluated plans, up to four; empty without one.
[[nodiscard]] std::vector<ReportChart> layerCharts(const ReportInput& input);
/// KL and changed top-1 of every site quantized alone; empty without measurements.
[[nodiscard]] std::vector<ReportChart> sensitivityCharts(const ReportInput& input);
/// Distributions of the sites that the plan hurts most, with their bounds; empty without a calibration.
[[nodiscard]] std::vector<ReportChart> distributionCharts(const ReportInput& input,
    const std::map<std::string, QuantizationError>& errors, const ResolvedPlan& quantizers);

} // namespace qs
