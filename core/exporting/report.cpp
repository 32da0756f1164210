#include "core/exporting/report.h"

#include "core/base/error.h"
#include "core/base/version.h"
#include "core/eval/site_error.h"
#include "core/exporting/markup.h"
#include "core/exporting/report_charts.h"
#include "core/exporting/report_tables.h"
#include "core/io/json_text.h"
#include "core/quant/resolve.h"

#include <algorithm>

namespace qs {

namespace {

constexpr const char* kStyle = "body { font-family: sans-serif; font-size: 10pt; color: #222222; }\n"
                               "h1 { font-size: 18pt; }\nh2 { font-size: 13pt; }\n"
                               "table { border-color: #bbbbbb; font-size: 8pt; }\n"
                               "th { background-color: #eeeeee; }\n"
                               "p.caption { color: #555555; font-size: 9pt; }\n"
                               "p.remark { background-color: #fff3d6; }\n"
                               "pre { background-color: #f4f4f4; font-size: 8pt; white-space: pre-wrap; }\n";

std::string heading(const std::string& text)
{
    return "<h2>" + escapedMarkup(text) + "</h2>\n";
}

/// A heading of charts: on paper it stays with them.
std::string chapter(const std::string& text)
{
    return "<h2 style=\"page-break-before: always\">" + escapedMarkup(text) + "</h2>\n";
}

std::string paragraph(const std::string& text, const char* style)
{
    return std::string("<p class=\"") + style + "\">" + escapedMarkup(text) + "</p>\n";
}

std::string picture(const std::string& type, const std::string& bytes, const std::string& title)
{
    return "<p><img width=\"720\" alt=\"" + escapedMarkup(title) + "\" src=\"" + dataUri(type, bytes)
        + "\"/></p>\n";
}

std::string charts(const std::vector<ReportChart>& all)
{
    std::string html;
    for (const ReportChart& chart : all) {
        html += chart.svg.empty() ? "" : picture("image/svg+xml", chart.svg, chart.caption);
        html += paragraph(chart.caption, "caption");
    }
    return html;
}

/// What the plan's sites come to: quantizers and errors on their own values. Sites that cannot be worked out
/// (a weight without its model, a site without statistics) are left out.
struct Worked
{
    ResolvedPlan quantizers;
    std::map<std::string, QuantizationError> errors;
};

/// The quantizer of a site: given, or worked out where its values are known.
std::optional<QuantParams> quantizerOf(const ReportInput& input, const Site& site, const SiteChoice& choice,
    const SiteStatistics* statistics, bool runnable, const TaskContext& context)
{
    if (input.quantizers) {
        const auto given = input.quantizers->find(site.name);
        return given == input.quantizers->end() ? std::nullopt : std::optional(given->second);
    }
    if (site.kind == SiteKind::Weight) {
        return runnable ? std::optional(resolveSite(*input.model, site, choice, Calibration(), context))
                        : std::nullopt;
    }
    return statistics == nullptr ? std::nullopt
                                 : std::optional(resolveActivation(choice, *statistics, context));
}

Worked workedOut(const ReportInput& input, const TaskContext& context)
{
    Worked worked;
    const bool runnable = input.model && !input.model->graph->nodes().empty();
    const std::vector<Site>& sites = runnable ? input.model->sites : input.session.sites;
    for (const Site& site : sites) {
        context.throwIfCancelled();
        context.report("report", &site - sites.data(), static_cast<std::int64_t>(sites.size()));
        const SiteChoice* choice = input.session.plan.find(site.name);
        if (choice == nullptr || !choice->enabled) {
            continue;
        }
        const auto statistics
            = input.session.calibration ? input.session.calibration->find(site.name) : nullptr;
        std::optional<QuantParams> params
            = quantizerOf(input, site, *choice, statistics.get(), runnable, context);
        if (!params) {
            continue;
        }
        if (site.kind == SiteKind::Weight && runnable) {
            worked.errors[site.name] = siteError(*input.model, Calibration(), site, *params);
        } else if (site.kind == SiteKind::Activation && statistics) {
            worked.errors[site.name] = quantizationError(*statistics, *params);
        }
        worked.quantizers[site.name] = std::move(*params);
    }
    return worked;
}

std::string taskName(ModelTask task)
{
    switch (task) {
    case ModelTask::Classification: return "classification";
    case ModelTask::LanguageModel: return "language model";
    case ModelTask::Features: return "features";
    }
    return {};
}

std::string modelSection(const ReportInput& input)
{
    const SessionFile& session = input.session;
    std::vector<std::pair<std::string, std::string>> facts {{"model", session.modelName},
        {"path", session.modelPath}, {"task", taskName(session.task)},
        {"sites", std::to_string(session.sites.size())}};
    if (input.model && !input.model->graph->nodes().empty()) {
        facts.emplace_back("parameters", std::to_string(input.model->graph->parameterCount()));
    }
    if (session.calibration) {
        facts.emplace_back("calibration",
            std::to_string(session.calibration->sampleCount) + " samples"
                + (session.calibrationPath.empty() ? "" : " of " + session.calibrationPath));
        if (!session.calibration->dataPreparation.empty()) {
            facts.emplace_back("their preparation", session.calibration->dataPreparation);
        }
    }
    if (!session.evaluationPath.empty()) {
        facts.emplace_back("evaluation", session.evaluationPath);
    }
    return heading("Model and data") + factsTable(facts);
}

std::string provenance(const ReportInput& input)
{
    const SessionFile& session = input.session;
    std::vector<std::pair<std::string, std::string>> facts {
        {"program", std::string("Quantoscope ") + kVersion}};
    const auto add = [&](const char* what, const std::string& value) {
        if (!value.empty()) {
            facts.emplace_back(what, value);
        }
    };
    add("date", input.date);
    add("weights, SHA-256", session.modelHash);
    add("configuration, SHA-256", session.configHash);
    if (session.calibration) {
        add("calibrated model, SHA-256", session.calibration->modelHash);
        add("calibration data, SHA-256", session.calibration->dataHash);
    }
    if (!session.sensitivity.empty()) {
        const SiteSensitivity& first = session.sensitivity.front();
        add("sensitivity basis, SHA-256", first.basis);
        if (first.intervals) {
            const BootstrapOptions& bootstrap = first.intervals->bootstrap;
            add("bootstrap",
                std::to_string(bootstrap.resamples) + " resamples, seed " + std::to_string(bootstrap.seed)
                    + ", " + shortNumber(100.0 * bootstrap.coverage) + " % intervals");
        }
    }
    std::string html = heading("Provenance") + factsTable(facts);
    if (!input.commands.empty()) {
        html += "<p>The same figures again:</p>\n<pre>";
        for (const std::string& command : input.commands) {
            html += escapedMarkup(command) + "\n";
        }
        html += "</pre>\n";
    }
    return html;
}

} // namespace

void requireHtmlName(const std::filesystem::path& file)
{
    const std::string ending = file.extension().string();
    if (ending == ".pdf") {
        throw Error(ErrorCode::InvalidArgument,
            "a PDF needs the window (File > Report…): give a name that ends in .html");
    }
    if (ending != ".html" && ending != ".htm") {
        throw Error(ErrorCode::InvalidArgument,
            quotedName(file.filename().string()) + " should end in .html: a report is one HTML file");
    }
}

std::string htmlReport(const ReportInput& input, const TaskContext& context)
{
    const SessionFile& session = input.session;
    const Worked worked = workedOut(input, context);
    const std::string title = "Quantization report: " + session.modelName;
    std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<title>"
        + escapedMarkup(title) + "</title>\n<style>\n" + kStyle + "</style>\n</head>\n<body>\n<h1>"
        + escapedMarkup(title) + "</h1>\n";
    for (const std::string& remark : input.remarks) {
        html += paragraph(remark, "remark");
    }
    html += modelSection(input);
    if (input.fp32 || !session.snapshots.empty()) {
        html += heading("Results") + resultsTable(input);
    }
    html += charts(layerCharts(input));
    if (const auto all = distributionCharts(input, worked.errors, worked.quantizers); !all.empty()) {
        html += chapter("Distributions that the plan hurts most") + charts(all);
    }
    if (!session.sensitivity.empty()) {
        html += chapter("Sensitivity") + charts(sensitivityCharts(input)) + sensitivityTable(input);
    }
    for (const ReportPicture& each : input.pictures) {
        html += heading(each.title) + picture(each.type, each.bytes, each.title);
    }
    if (const std::string flips = flipsTable(input); !flips.empty()) {
        html += heading("Samples predicted otherwise than by FP32") + flips;
    }
    html += heading("Plan") + planTable(input, worked.errors, worked.quantizers);
    return html + provenance(input) + "</body>\n</html>\n";
}

} // namespace qs
