#pragma once

#include "core/base/task_context.h"
#include "core/eval/session_file.h"
#include "core/quant/resolve.h"

#include <optional>
#include <string>
#include <vector>

namespace qs {

/// A picture for the report: what a view of the window shows.
struct ReportPicture
{
    std::string title;
    std::string type; ///< "image/png" or "image/svg+xml"
    std::string bytes;
};

/// What a report tells. Only the session is needed; the rest adds to it.
struct ReportInput
{
    SessionFile session;
    std::shared_ptr<const Model> model; ///< null or without nodes: weights are not described
    std::optional<ResolvedPlan>
        quantizers; ///< of the session's plan; absent: worked out from the calibration
    std::optional<Metrics> fp32; ///< of the model itself on the evaluation data
    std::vector<std::string> remarks; ///< what the reader should know first, a sentence each
    std::vector<ReportPicture> pictures;
    std::vector<std::string> commands; ///< that make these results again
    std::string date; ///< as text; "" leaves it out
};

/// One HTML file without scripts, links or files beside it: model, plan, results, charts (SVG), tables and
/// provenance. Everything from files is escaped. Uses only what QTextDocument lays out too, so that the
/// window prints the same page. The same input gives the same bytes. Throws Error(Cancelled).
[[nodiscard]] std::string htmlReport(const ReportInput& input, const TaskContext& context = {});

/// Checks the ending of a report's file name, .html or .htm. Throws Error(InvalidArgument).
void requireHtmlName(const std::filesystem::path& file);

} // namespace qs
