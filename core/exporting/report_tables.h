#pragma once

#include "core/exporting/report.h"
#include "core/quant/quantization_error.h"
#include "core/quant/resolve.h"

#include <map>
#include <string>
#include <vector>

namespace qs {

/// A table as HTML; cells are text and are escaped here. Columns whose head begins with '>' stand right. The
/// heads are repeated on every page of a print.
[[nodiscard]] std::string htmlTable(
    const std::vector<std::string>& heads, const std::vector<std::vector<std::string>>& rows);

/// Two columns: what, and its value.
[[nodiscard]] std::string factsTable(const std::vector<std::pair<std::string, std::string>>& facts);

/// FP32 and every plan that was kept: bits, size and metrics.
[[nodiscard]] std::string resultsTable(const ReportInput& input);
/// Every enabled site: quantizer, bounds, own error, sensitivity.
[[nodiscard]] std::string planTable(const ReportInput& input,
    const std::map<std::string, QuantizationError>& errors, const ResolvedPlan& quantizers);
/// The sites that harm most when quantized alone.
[[nodiscard]] std::string sensitivityTable(const ReportInput& input);
/// Samples that evaluated plans predict otherwise than FP32, the first ones of each plan.
[[nodiscard]] std::string flipsTable(const ReportInput& input);

} // namespace qs
