#include "core/eval/calibration_microscope.h"

#include "core/quant/resolve.h"

#include <algorithm>

namespace qs {

namespace {

constexpr std::size_t kExaminedAtEachEnd = 5;
constexpr double kSettledShare = 0.05;

QuantizationError errorWithin(const SiteStatistics& statistics, SiteChoice choice, const Bounds& bounds)
{
    choice.granularity = Granularity::Tensor;
    choice.method = BoundMethod::Manual;
    choice.manualBounds = {bounds};
    return quantizationError(statistics, resolveActivation(choice, statistics));
}

double clippingShareOf(const QuantizationError& error)
{
    return error.total() > 0.0 ? error.clipping / error.total() : 0.0;
}

/// Values of a histogram below x, those of a bin taken as evenly spread.
double countBelow(const Histogram& histogram, double x)
{
    double count = x > 0.0 ? static_cast<double>(histogram.zeros) : 0.0;
    for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
        const double lower = histogram.edge(bin);
        const double upper = histogram.edge(bin + 1);
        if (x <= lower) {
            break;
        }
        count += static_cast<double>(histogram.counts[bin]) * std::min(1.0, (x - lower) / (upper - lower));
    }
    return count;
}

/// Fraction of the values within [lower, upper]. A group that reaches no further than that counts whole.
double coverageOf(const SiteStatistics& statistics, const Bounds& bounds)
{
    double inside = 0.0;
    double all = 0.0;
    for (const GroupStatistics& group : statistics.groups) {
        const auto count = static_cast<double>(group.count);
        all += count;
        const double above = static_cast<double>(group.maximum) <= bounds.upper
            ? 0.0
            : count - countBelow(group.histogram, bounds.upper);
        const double below = static_cast<double>(group.minimum) >= bounds.lower
            ? 0.0
            : countBelow(group.histogram, bounds.lower);
        inside += std::max(0.0, count - above - below);
    }
    return all > 0.0 ? inside / all : 1.0;
}

Bounds rangeWithout(const SampleRanges& ranges, std::int64_t sample)
{
    const auto other = [&](const SampleRange& entry) { return entry.sample != sample; };
    const auto low = std::ranges::find_if(ranges.lowest, other);
    const auto high = std::ranges::find_if(ranges.highest, other);
    return {static_cast<double>(low->minimum), static_cast<double>(high->maximum)};
}

SampleInfluence influenceOf(
    const SiteStatistics& statistics, const SiteChoice& choice, const SampleRange& sample)
{
    const SampleRanges& ranges = statistics.samples;
    SampleInfluence influence;
    influence.sample = sample;
    influence.without = rangeWithout(ranges, sample.sample);
    influence.setsLower = static_cast<double>(ranges.lowest.front().minimum) < influence.without.lower;
    influence.setsUpper = static_cast<double>(ranges.highest.front().maximum) > influence.without.upper;
    const QuantizationError error = errorWithin(statistics, choice, influence.without);
    influence.sqnrDb = error.sqnrDb();
    influence.clippingShare = clippingShareOf(error);
    return influence;
}

std::vector<RangeProgress> progressOf(const SiteStatistics& statistics)
{
    std::vector<RangeProgress> progress;
    ValueRange range;
    std::int64_t samples = 0;
    for (const SampleSpan& span : statistics.samples.spans) {
        samples += span.samples;
        if (!span.range.isEmpty) {
            range.include(span.range.minimum, span.range.maximum);
        }
        RangeProgress point;
        point.samples = samples;
        point.range = {static_cast<double>(range.minimum), static_cast<double>(range.maximum)};
        const bool same = !progress.empty() && progress.back().range == point.range;
        point.coverage = same ? progress.back().coverage
            : range.isEmpty   ? 0.0
                              : coverageOf(statistics, point.range);
        progress.push_back(point);
    }
    return progress;
}

std::int64_t settledAfter(const std::vector<RangeProgress>& progress)
{
    const Bounds whole = progress.back().range;
    const double slack = kSettledShare * (whole.upper - whole.lower);
    for (const RangeProgress& point : progress) {
        if (point.range.lower - whole.lower <= slack && whole.upper - point.range.upper <= slack) {
            return point.samples;
        }
    }
    return progress.back().samples;
}

} // namespace

std::optional<SiteMicroscope> examineSite(const SiteStatistics& statistics, const SiteChoice& choice)
{
    const SampleRanges& ranges = statistics.samples;
    if (ranges.lowest.empty() || ranges.spans.empty()) {
        return std::nullopt;
    }
    SiteMicroscope found;
    found.site = statistics.site;
    found.samples = ranges.samples;
    found.range = {static_cast<double>(ranges.lowest.front().minimum),
        static_cast<double>(ranges.highest.front().maximum)};
    const QuantizationError error = errorWithin(statistics, choice, found.range);
    found.sqnrDb = error.sqnrDb();
    found.clippingShare = clippingShareOf(error);
    std::vector<SampleRange> examined;
    for (const auto* list : {&ranges.lowest, &ranges.highest}) {
        for (std::size_t i = 0; i < std::min(list->size(), kExaminedAtEachEnd); ++i) {
            const bool known
                = std::ranges::find(examined, (*list)[i].sample, &SampleRange::sample) != examined.end();
            if (!known) {
                examined.push_back((*list)[i]);
            }
        }
    }
    for (const SampleRange& sample : examined) {
        if (ranges.lowest.size() > 1) { // of a single sample nothing can be left out
            found.influences.push_back(influenceOf(statistics, choice, sample));
        }
    }
    std::ranges::stable_sort(found.influences, std::greater<> {}, &SampleInfluence::sqnrDb);
    found.progress = progressOf(statistics);
    found.settledAfter = settledAfter(found.progress);
    return found;
}

} // namespace qs
