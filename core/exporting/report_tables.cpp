#include "core/exporting/report_tables.h"

#include "core/exporting/markup.h"
#include "core/quant/ada_log.h"

#include <algorithm>

namespace qs {

namespace {

constexpr std::size_t kMostSensitive = 20;
constexpr std::size_t kMostFlips = 20;

std::string percent(const std::optional<double>& value)
{
    return value ? reportNumber(*value, 2) : std::string("–");
}

/// "0.0123 [0.0100, 0.0150]"
std::string withInterval(double value, const std::optional<BootstrapInterval>& interval)
{
    return interval
        ? shortNumber(value) + " [" + shortNumber(interval->lower) + ", " + shortNumber(interval->upper) + "]"
        : shortNumber(value);
}

std::vector<std::string> metricsRow(
    const std::string& name, const std::optional<Metrics>& metrics, const std::optional<PlanFigures>& figures)
{
    std::vector<std::string> row {name};
    row.push_back(figures ? reportNumber(figures->weightBits, 2) : "–");
    row.push_back(figures ? reportNumber(figures->activationBits, 2) : "–");
    row.push_back(figures ? reportNumber(static_cast<double>(figures->bytes) / 1e6, 3) : "–");
    if (!metrics) {
        row.insert(row.end(), 8, "–");
        return row;
    }
    row.push_back(std::to_string(metrics->samples));
    row.push_back(percent(metrics->top1Percent));
    row.push_back(percent(metrics->top5Percent));
    row.push_back(reportNumber(metrics->agreementPercent, 2));
    row.push_back(reportNumber(metrics->klNats, 4));
    row.push_back(reportNumber(metrics->logitsSqnrDb, 2));
    row.push_back(metrics->nllNats ? reportNumber(*metrics->nllNats, 4) : "–");
    row.push_back(metrics->perplexity() ? reportNumber(*metrics->perplexity(), 3) : "–");
    return row;
}

std::string boundsText(const QuantParams& params)
{
    double lower = params.bounds.front().lower;
    double upper = params.bounds.front().upper;
    for (const Bounds& bounds : params.bounds) {
        lower = std::min(lower, bounds.lower);
        upper = std::max(upper, bounds.upper);
    }
    std::string text = params.kind == QuantizerKind::Uniform ? shortNumber(lower) + " … " + shortNumber(upper)
                                                             : "d = " + shortNumber(upper);
    if (params.kind == QuantizerKind::AdaLog && params.bounds.size() == 1) {
        text += ", base 2^(" + std::to_string(adaLogBase(params.bounds.front())) + "/"
            + std::to_string(kAdaLogUnit) + ")";
    }
    return params.bounds.size() > 1 ? text + " (" + std::to_string(params.bounds.size()) + " scales)" : text;
}

const SiteSensitivity* sensitivityOf(const ReportInput& input, const std::string& site, int bits)
{
    const auto found = std::ranges::find_if(input.session.sensitivity,
        [&](const SiteSensitivity& result) { return result.site == site && result.bits == bits; });
    return found == input.session.sensitivity.end() ? nullptr : &*found;
}

} // namespace

std::string htmlTable(
    const std::vector<std::string>& heads, const std::vector<std::vector<std::string>>& rows)
{
    const auto right = [&](std::size_t column) { return heads[column].starts_with('>'); };
    std::string html = "<table border=\"1\" cellspacing=\"0\" cellpadding=\"4\">\n<thead>\n<tr>";
    for (std::size_t i = 0; i < heads.size(); ++i) {
        html += right(i) ? "<th align=\"right\">" : "<th align=\"left\">";
        html += escapedMarkup(heads[i].substr(right(i) ? 1 : 0)) + "</th>";
    }
    html += "</tr>\n</thead>\n<tbody>\n";
    for (const std::vector<std::string>& row : rows) {
        html += "<tr>";
        for (std::size_t i = 0; i < row.size(); ++i) {
            html += (right(i) ? "<td align=\"right\">" : "<td>") + escapedMarkup(row[i]) + "</td>";
        }
        html += "</tr>\n";
    }
    return html + "</tbody>\n</table>\n";
}

std::string factsTable(const std::vector<std::pair<std::string, std::string>>& facts)
{
    std::string html = "<table border=\"1\" cellspacing=\"0\" cellpadding=\"4\">\n";
    for (const auto& [what, value] : facts) {
        html += "<tr><th align=\"left\">" + escapedMarkup(what) + "</th><td>" + escapedMarkup(value)
            + "</td></tr>\n";
    }
    return html + "</table>\n";
}

std::string resultsTable(const ReportInput& input)
{
    std::vector<std::vector<std::string>> rows;
    if (input.fp32) {
        const bool known = input.model && !input.model->graph->nodes().empty();
        rows.push_back(metricsRow(
            "FP32", input.fp32, known ? std::optional(planFigures(*input.model, {})) : std::nullopt));
    }
    for (const Snapshot& snapshot : input.session.snapshots) {
        rows.push_back(metricsRow(snapshot.name,
            snapshot.evaluation ? std::optional(snapshot.evaluation->metrics) : std::nullopt,
            snapshot.figures));
    }
    return htmlTable({"plan", ">W bits", ">A bits", ">MB", ">samples", ">top-1 %", ">top-5 %", ">agreement %",
                         ">KL nats", ">SQNR dB", ">NLL nats", ">perplexity"},
        rows);
}

std::string planTable(const ReportInput& input, const std::map<std::string, QuantizationError>& errors,
    const ResolvedPlan& quantizers)
{
    std::vector<std::vector<std::string>> rows;
    for (const Site& site : input.session.sites) {
        const SiteChoice* choice = input.session.plan.find(site.name);
        if (choice == nullptr || !choice->enabled) {
            continue;
        }
        const auto error = errors.find(site.name);
        const auto params = quantizers.find(site.name);
        const SiteSensitivity* sensitivity = sensitivityOf(input, site.name, choice->bits);
        const bool own = error != errors.end();
        rows.push_back({site.name, std::string(nameOf(site.role)), std::string(nameOf(choice->kind)),
            std::to_string(choice->bits),
            choice->granularity == Granularity::Tensor ? "tensor"
                : site.groupAxis == GroupAxis::Head    ? "head"
                                                       : "channel",
            std::string(nameOf(choice->symmetry)), std::string(nameOf(choice->method)),
            params == quantizers.end() ? "–" : boundsText(params->second),
            own ? reportNumber(error->second.sqnrDb(), 1) : "–",
            own && error->second.total() > 0.0
                ? reportNumber(100.0 * error->second.clipping / error->second.total(), 0)
                : "–",
            sensitivity == nullptr ? "–" : shortNumber(sensitivity->klNats)});
    }
    return htmlTable({"site", "role", "quantizer", ">bits", "scale per", "symmetry", "bounds by", "bounds",
                         ">SQNR dB", ">clipping %", ">KL alone"},
        rows);
}

std::string sensitivityTable(const ReportInput& input)
{
    std::vector<SiteSensitivity> worst = input.session.sensitivity;
    std::ranges::stable_sort(worst, std::greater<> {}, &SiteSensitivity::klNats);
    worst.resize(std::min(worst.size(), kMostSensitive));
    std::vector<std::vector<std::string>> rows;
    for (const SiteSensitivity& result : worst) {
        const auto& ends = result.intervals;
        rows.push_back({result.site, std::to_string(result.bits),
            withInterval(result.klNats, ends ? std::optional(ends->klNats) : std::nullopt),
            withInterval(
                100.0 - result.agreementPercent, ends ? std::optional(ends->changedPercent) : std::nullopt),
            result.top1DropPercent
                ? withInterval(*result.top1DropPercent, ends ? ends->top1DropPercent : std::nullopt)
                : "–",
            reportNumber(result.logitsSqnrDb, 1),
            result.nllIncreaseNats
                ? withInterval(*result.nllIncreaseNats, ends ? ends->nllIncreaseNats : std::nullopt)
                : "–",
            result.clippingAlone ? shortNumber(result.clippingAlone->klNats) : "–",
            result.roundingAlone ? shortNumber(result.roundingAlone->klNats) : "–"});
    }
    return htmlTable({"site", ">bits", ">KL nats", ">changed %", ">top-1 lost", ">SQNR dB", ">NLL increase",
                         ">KL, clipping alone", ">KL, rounding alone"},
        rows);
}

std::string flipsTable(const ReportInput& input)
{
    std::vector<std::vector<std::string>> rows;
    for (const Snapshot& snapshot : input.session.snapshots) {
        std::size_t listed = 0;
        for (const SampleOutcome& outcome :
            snapshot.evaluation ? snapshot.evaluation->outcomes : std::vector<SampleOutcome> {}) {
            if (outcome.changedRows == 0 || listed == kMostFlips) {
                continue;
            }
            ++listed;
            rows.push_back({snapshot.name, std::to_string(outcome.sample),
                outcome.rows > 1 ? std::to_string(outcome.changedRows) + " of " + std::to_string(outcome.rows)
                                 : "1",
                std::to_string(outcome.referenceClass), reportNumber(outcome.referenceProbability, 3),
                std::to_string(outcome.quantizedClass), reportNumber(outcome.quantizedProbability, 3)});
        }
    }
    return rows.empty() ? std::string()
                        : htmlTable({"plan", ">sample", ">predictions changed", ">FP32", ">probability",
                                        ">plan", ">probability"},
                            rows);
}

} // namespace qs
