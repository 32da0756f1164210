#include "core/exporting/report_charts.h"

#include "core/exporting/markup.h"
#include "core/exporting/svg_chart.h"

#include <algorithm>
#include <set>

namespace qs {

namespace {

constexpr std::size_t kMostPlans = 4;
constexpr std::size_t kMostDistributions = 6;
constexpr std::size_t kHistogramBins = 256;

std::vector<std::string> layersOf(const std::vector<Site>& sites)
{
    std::vector<std::string> layers;
    for (const Site& site : sites) {
        if (std::ranges::find(layers, site.layer) == layers.end()) {
            layers.push_back(site.layer);
        }
    }
    return layers;
}

/// Bars of one figure at one width.
ReportChart sensitivityChart(const std::vector<SiteSensitivity>& results, int bits, const std::string& axis,
    double (*value)(const SiteSensitivity&), BootstrapInterval SensitivityIntervals::*interval)
{
    SvgBars chart;
    chart.axis = axis;
    chart.colours = {"activation", "weight"};
    std::int64_t samples = 0;
    double coverage = 0.0;
    for (const SiteSensitivity& result : results) {
        if (result.bits != bits && bits != 0) {
            continue;
        }
        SvgBars::Bar bar {result.site, value(result), std::nullopt, result.kind == SiteKind::Weight ? 1 : 0};
        if (result.intervals) {
            const BootstrapInterval& ends = (*result.intervals).*interval;
            bar.interval = {ends.lower, ends.upper};
            coverage = result.intervals->bootstrap.coverage;
        }
        samples = std::max(samples, result.samples);
        chart.bars.push_back(std::move(bar));
    }
    std::string caption = "Every site quantized alone, all else in FP32";
    caption += bits == 0 ? ", at the bits of the plan" : ", at " + std::to_string(bits) + " bits";
    if (samples > 0) {
        caption += "; " + std::to_string(samples) + " samples";
    }
    if (coverage > 0.0) {
        caption += ", whiskers: " + shortNumber(100.0 * coverage) + " % bootstrap intervals";
    }
    const bool isFlat = std::ranges::all_of(chart.bars, [](const SvgBars::Bar& bar) {
        return bar.value == 0.0 && (!bar.interval || bar.interval->second == 0.0);
    });
    if (isFlat) { // nothing to see: a sentence does
        return {{}, axis + ": 0 for every site. " + caption + "."};
    }
    return {svgBars(chart), caption + "."};
}

SvgHistogram histogramOf(const SiteStatistics& statistics)
{
    const Histogram histogram = statistics.tensorHistogram(kHistogramBins);
    SvgHistogram chart;
    chart.isLog2 = histogram.scale == BinScale::Log2;
    chart.axis = chart.isLog2 ? "value, powers of two" : "value";
    for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
        chart.edges.push_back(histogram.edge(bin));
        chart.counts.push_back(static_cast<double>(histogram.counts[bin]));
    }
    if (histogram.size() > 0) {
        chart.edges.push_back(histogram.edge(histogram.size()));
    }
    return chart;
}

} // namespace

std::vector<ReportChart> layerCharts(const ReportInput& input)
{
    SvgLines chart;
    chart.axis = "SQNR, dB";
    chart.places = layersOf(input.session.sites);
    for (const Snapshot& snapshot : input.session.snapshots) {
        if (!snapshot.evaluation || snapshot.evaluation->layerSqnrDb.empty()
            || chart.lines.size() == kMostPlans) {
            continue;
        }
        SvgLines::Line line {snapshot.name, {}};
        for (const std::string& layer : chart.places) {
            const auto found = snapshot.evaluation->layerSqnrDb.find(layer);
            line.values.push_back(found == snapshot.evaluation->layerSqnrDb.end()
                    ? std::nullopt
                    : std::optional(found->second));
        }
        chart.lines.push_back(std::move(line));
    }
    if (chart.lines.empty()) {
        return {};
    }
    return {{svgLines(chart),
        "SQNR of every layer's output against FP32, all quantizers of the plan at work, "
            + std::to_string(kLayerSamples) + " samples."}};
}

std::vector<ReportChart> sensitivityCharts(const ReportInput& input)
{
    const std::vector<SiteSensitivity>& results = input.session.sensitivity;
    std::set<int> widths;
    for (const SiteSensitivity& result : results) {
        widths.insert(result.atPlannedBits ? 0 : result.bits);
    }
    std::vector<ReportChart> charts;
    for (const int bits : widths) {
        charts.push_back(sensitivityChart(
            results, bits, "KL of the logits, nats", [](const SiteSensitivity& r) { return r.klNats; },
            &SensitivityIntervals::klNats));
        charts.push_back(sensitivityChart(
            results, bits, "top-1 changed, %",
            [](const SiteSensitivity& r) { return 100.0 - r.agreementPercent; },
            &SensitivityIntervals::changedPercent));
    }
    return charts;
}

std::vector<ReportChart> distributionCharts(const ReportInput& input,
    const std::map<std::string, QuantizationError>& errors, const ResolvedPlan& quantizers)
{
    std::vector<ReportChart> charts;
    if (!input.session.calibration) {
        return charts;
    }
    std::vector<std::pair<double, std::string>> worst;
    for (const auto& [site, error] : errors) {
        worst.emplace_back(error.sqnrDb(), site);
    }
    std::ranges::sort(worst);
    for (const auto& [sqnr, site] : worst) {
        const auto statistics = input.session.calibration->find(site);
        const auto params = quantizers.find(site);
        if (!statistics || params == quantizers.end() || charts.size() == kMostDistributions) {
            continue;
        }
        SvgHistogram chart = histogramOf(*statistics);
        double lower = params->second.bounds.front().lower;
        double upper = params->second.bounds.front().upper;
        for (const Bounds& bounds : params->second.bounds) {
            lower = std::min(lower, bounds.lower);
            upper = std::max(upper, bounds.upper);
        }
        chart.marks = chart.isLog2 ? std::vector {upper} : std::vector {lower, upper};
        const bool single = params->second.bounds.size() == 1;
        charts.push_back({svgHistogram(chart),
            site + ": SQNR of its own values " + reportNumber(sqnr, 1) + " dB at "
                + std::to_string(params->second.bits) + " bits; "
                + (single ? "the lines are its bounds." : "the lines are the widest of its bounds.")});
    }
    return charts;
}

} // namespace qs
