#include "core/eval/calibration_arrays.h"

#include "core/base/error.h"
#include "core/stats/bin_moments.h"

#include <array>
#include <cmath>
#include <span>

namespace qs {

namespace {

/// Places and sums were rounded to float on the way: this much slack when numbers are compared.
constexpr double kSlack = 1e-3;
constexpr std::int64_t kLargestBin = std::int64_t {1} << 40;

[[noreturn]] void fail(const std::string& subject, std::size_t group, const std::string& what)
{
    throw Error(ErrorCode::CorruptFile, subject + ", group " + std::to_string(group) + ": " + what);
}

void appendBins(CalibrationArrays& arrays, const Histogram& histogram)
{
    for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
        float sum = 0.0F;
        float squares = 0.0F;
        if (!placesOfBin(histogram, bin, sum, squares)) {
            arrays.form = BinForm::Sums;
        }
        arrays.placeSum.push_back(sum);
        arrays.placeSquares.push_back(squares);
        arrays.binCount.push_back(histogram.counts[bin]);
        arrays.binSum.push_back(histogram.sums[bin]);
        arrays.binSquares.push_back(histogram.squares[bin]);
    }
}

void checkLengths(const CalibrationArrays& arrays, const std::string& subject)
{
    const std::size_t groups = arrays.count.size();
    const std::array lengths {arrays.nonFinite.size(), arrays.minimum.size(), arrays.maximum.size(),
        arrays.sum.size(), arrays.squares.size(), arrays.scale.size(), arrays.width.size(),
        arrays.firstBin.size(), arrays.zeros.size(), arrays.bins.size()};
    for (const std::size_t length : lengths) {
        if (length != groups) {
            throw Error(ErrorCode::CorruptFile,
                subject + " has arrays of " + std::to_string(groups) + " and " + std::to_string(length)
                    + " groups");
        }
    }
    std::uint64_t bins = 0; // at most 2^32 a group, as many groups as the file is long: no overflow
    for (const std::uint32_t count : arrays.bins) {
        bins += count;
    }
    const bool places = arrays.form == BinForm::Places;
    const std::size_t sums = places ? arrays.placeSum.size() : arrays.binSum.size();
    const std::size_t squares = places ? arrays.placeSquares.size() : arrays.binSquares.size();
    if (arrays.binCount.size() != bins || sums != bins || squares != bins) {
        throw Error(ErrorCode::CorruptFile,
            subject + " should have " + std::to_string(bins) + " bins, its arrays have "
                + std::to_string(arrays.binCount.size()) + ", " + std::to_string(sums) + " and "
                + std::to_string(squares));
    }
}

void checkGrid(const Histogram& histogram, const std::string& subject, std::size_t group)
{
    int exponent = 0;
    if (!(histogram.width > 0.0) || !std::isfinite(histogram.width)
        || std::frexp(histogram.width, &exponent) != 0.5 || exponent < -149 || exponent > 128) {
        fail(subject, group,
            "a bin width of " + std::to_string(histogram.width) + " is no power of two of floats");
    }
    if (histogram.firstBin > kLargestBin || histogram.firstBin < -kLargestBin) {
        fail(subject, group, "bins that start at number " + std::to_string(histogram.firstBin));
    }
    const double top = histogram.edge(histogram.size());
    const double bottom = histogram.edge(0);
    if (!std::isfinite(top * top) || !std::isfinite(bottom * bottom)
        || (histogram.size() > 0 && !(bottom < top))) {
        fail(subject, group,
            "bins from " + std::to_string(bottom) + " to " + std::to_string(top) + " are outside of floats");
    }
}

/// Bin sums must be possible for that many values between the edges.
void checkBin(const Histogram& histogram, std::size_t bin, const std::string& subject, std::size_t group)
{
    const double lower = histogram.edge(bin);
    const double upper = histogram.edge(bin + 1);
    const auto count = static_cast<double>(histogram.counts[bin]);
    const double slack
        = kSlack * count * (upper - lower) + 1e-12 * count * std::max(std::fabs(lower), std::fabs(upper));
    const double sum = histogram.sums[bin];
    const double squares = histogram.squares[bin];
    const double largest = std::max(lower * lower, upper * upper);
    const bool possible = sum >= lower * count - slack && sum <= upper * count + slack && squares >= 0.0
        && squares <= largest * count * (1.0 + kSlack);
    if (!possible) {
        fail(subject, group,
            "bin " + std::to_string(bin) + " of " + std::to_string(histogram.counts[bin])
                + " values has the sum " + std::to_string(sum) + " and sum of squares "
                + std::to_string(squares));
    }
}

void checkGroup(const GroupStatistics& group, const std::string& subject, std::size_t index)
{
    std::uint64_t total = group.histogram.zeros;
    for (const std::uint64_t count : group.histogram.counts) {
        if (__builtin_add_overflow(total, count, &total)) {
            fail(subject, index, "its bins hold more values than can be counted");
        }
    }
    if (total != group.count) {
        fail(subject, index,
            "its bins hold " + std::to_string(total) + " of " + std::to_string(group.count) + " values");
    }
    if (!std::isfinite(group.minimum) || !std::isfinite(group.maximum) || group.minimum > group.maximum) {
        fail(subject, index,
            "a range from " + std::to_string(group.minimum) + " to " + std::to_string(group.maximum));
    }
    if (group.histogram.scale == BinScale::Linear && group.histogram.zeros > 0) {
        fail(subject, index, "linear bins with values apart from them");
    }
    // Cauchy and Schwarz: |sum x| <= sqrt(n * sum x^2).
    const double bound = std::sqrt(static_cast<double>(group.count)) * std::sqrt(group.sumOfSquares);
    if (!(group.sumOfSquares >= 0.0) || !std::isfinite(group.sumOfSquares)
        || !(std::fabs(group.sum) <= bound * (1.0 + kSlack))) {
        fail(subject, index,
            "the sum " + std::to_string(group.sum) + " with a sum of squares of "
                + std::to_string(group.sumOfSquares) + " over " + std::to_string(group.count) + " values");
    }
}

/// The bins must enclose the range and add up to the sums.
void checkBinsAgainstGroup(const GroupStatistics& group, const std::string& subject, std::size_t index)
{
    const Histogram& histogram = group.histogram;
    if (histogram.size() > 0) {
        const double bottom = histogram.edge(0);
        const double top = histogram.edge(histogram.size());
        const double width = histogram.edge(1) - bottom; // values whose quotient by it underflows count as 0
        const bool above = histogram.zeros > 0 || group.minimum >= bottom - width;
        if (!above || group.maximum > top) {
            fail(subject, index,
                "values from " + std::to_string(group.minimum) + " to " + std::to_string(group.maximum)
                    + " in bins from " + std::to_string(bottom) + " to " + std::to_string(top));
        }
    }
    double sum = 0.0;
    for (const double part : histogram.sums) {
        sum += part;
    }
    const double bound = std::sqrt(static_cast<double>(group.count)) * std::sqrt(group.sumOfSquares);
    if (std::fabs(sum - group.sum) > kSlack * bound) {
        fail(subject, index,
            "its bins add up to " + std::to_string(sum) + " instead of " + std::to_string(group.sum));
    }
}

template<typename T>
void hashVector(Sha256& hash, const std::vector<T>& values)
{
    const std::uint64_t count = values.size();
    hash.update(std::as_bytes(std::span(&count, 1)));
    hash.update(std::as_bytes(std::span(values)));
}

void fillHistogram(Histogram& histogram, const CalibrationArrays& arrays, std::size_t offset,
    const std::string& subject, std::size_t group)
{
    const std::size_t bins = arrays.bins[group];
    histogram.counts.resize(bins);
    histogram.sums.resize(bins);
    histogram.squares.resize(bins);
    for (std::size_t bin = 0; bin < bins; ++bin) {
        const std::uint64_t count = arrays.binCount[offset + bin];
        if (arrays.form == BinForm::Places) {
            setBin(histogram, bin, count, arrays.placeSum[offset + bin], arrays.placeSquares[offset + bin]);
        } else {
            histogram.counts[bin] = count;
            histogram.sums[bin] = arrays.binSum[offset + bin];
            histogram.squares[bin] = arrays.binSquares[offset + bin];
        }
        checkBin(histogram, bin, subject, group);
    }
}

} // namespace

namespace {

void appendSamples(CalibrationArrays& arrays, const SampleRanges& ranges)
{
    for (const SampleRange& entry : ranges.lowest) {
        arrays.lowestSample.push_back(entry.sample);
        arrays.lowestMinimum.push_back(entry.minimum);
        arrays.lowestMaximum.push_back(entry.maximum);
    }
    for (const SampleRange& entry : ranges.highest) {
        arrays.highestSample.push_back(entry.sample);
        arrays.highestMinimum.push_back(entry.minimum);
        arrays.highestMaximum.push_back(entry.maximum);
    }
    for (const SampleSpan& span : ranges.spans) {
        arrays.spanSamples.push_back(span.samples);
        arrays.spanMinimum.push_back(span.range.minimum);
        arrays.spanMaximum.push_back(span.range.maximum);
        arrays.spanValues.push_back(span.range.isEmpty ? 0 : 1);
    }
}

bool isRange(float minimum, float maximum)
{
    return std::isfinite(minimum) && std::isfinite(maximum) && minimum <= maximum;
}

/// One of the two lists of extreme samples, whose order `isSorted` knows.
template<typename IsSorted>
std::vector<SampleRange> extremesFrom(const std::vector<std::int64_t>& samples, const std::vector<float>& low,
    const std::vector<float>& high, std::int64_t count, const std::string& subject, IsSorted isSorted)
{
    if (low.size() != samples.size() || high.size() != samples.size()
        || samples.size() > SampleRanges::kExtremes) {
        throw Error(ErrorCode::CorruptFile,
            subject + " lists " + std::to_string(samples.size()) + " extreme samples with "
                + std::to_string(low.size()) + " and " + std::to_string(high.size()) + " ends");
    }
    std::vector<SampleRange> extremes;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        extremes.push_back({samples[i], low[i], high[i]});
        if (samples[i] < 0 || samples[i] >= count || !isRange(low[i], high[i])
            || (i > 0 && !isSorted(extremes[i - 1], extremes[i]))) {
            throw Error(ErrorCode::CorruptFile,
                subject + ": extreme sample " + std::to_string(samples[i]) + " of " + std::to_string(count)
                    + " with the range " + std::to_string(low[i]) + " to " + std::to_string(high[i]));
        }
    }
    return extremes;
}

/// The extremes must be those of the site.
SampleRanges samplesFrom(
    const CalibrationArrays& arrays, const SiteStatistics& site, const std::string& subject)
{
    SampleRanges ranges;
    const std::size_t spans = arrays.spanSamples.size();
    if (arrays.spanMinimum.size() != spans || arrays.spanMaximum.size() != spans
        || arrays.spanValues.size() != spans || spans > SampleRanges::kSpans) {
        throw Error(ErrorCode::CorruptFile, subject + " has spans of samples without their ranges");
    }
    for (std::size_t i = 0; i < spans; ++i) {
        const std::int64_t samples = arrays.spanSamples[i];
        if (samples < 1 || samples > kLargestBin || !isRange(arrays.spanMinimum[i], arrays.spanMaximum[i])) {
            throw Error(ErrorCode::CorruptFile,
                subject + ": a span of " + std::to_string(samples) + " samples with the range "
                    + std::to_string(arrays.spanMinimum[i]) + " to " + std::to_string(arrays.spanMaximum[i]));
        }
        ranges.samples += samples;
        ranges.spans.push_back(
            {samples, {arrays.spanMinimum[i], arrays.spanMaximum[i], arrays.spanValues[i] == 0}});
    }
    ranges.lowest
        = extremesFrom(arrays.lowestSample, arrays.lowestMinimum, arrays.lowestMaximum, ranges.samples,
            subject, [](const SampleRange& a, const SampleRange& b) { return a.minimum <= b.minimum; });
    ranges.highest
        = extremesFrom(arrays.highestSample, arrays.highestMinimum, arrays.highestMaximum, ranges.samples,
            subject, [](const SampleRange& a, const SampleRange& b) { return a.maximum >= b.maximum; });
    const bool fits = ranges.lowest.empty() == ranges.highest.empty()
        && (ranges.lowest.empty()
            || (ranges.lowest.front().minimum == site.minimum()
                && ranges.highest.front().maximum == site.maximum()));
    if (!fits) {
        throw Error(
            ErrorCode::CorruptFile, subject + ": its extreme samples do not reach its minimum and maximum");
    }
    return ranges;
}

} // namespace

CalibrationArrays flattened(const SiteStatistics& site)
{
    CalibrationArrays arrays;
    arrays.name = site.site;
    arrays.axis = site.axis;
    appendSamples(arrays, site.samples);
    for (const GroupStatistics& group : site.groups) {
        const Histogram& histogram = group.histogram;
        arrays.count.push_back(group.count);
        arrays.nonFinite.push_back(group.nonFinite);
        arrays.minimum.push_back(group.minimum);
        arrays.maximum.push_back(group.maximum);
        arrays.sum.push_back(group.sum);
        arrays.squares.push_back(group.sumOfSquares);
        arrays.scale.push_back(histogram.scale == BinScale::Linear ? 0 : 1);
        arrays.width.push_back(histogram.width);
        arrays.firstBin.push_back(histogram.firstBin);
        arrays.zeros.push_back(histogram.zeros);
        arrays.bins.push_back(static_cast<std::uint32_t>(histogram.size()));
        appendBins(arrays, histogram);
    }
    if (arrays.form == BinForm::Places) {
        arrays.binSum.clear();
        arrays.binSquares.clear();
    } else {
        arrays.placeSum.clear();
        arrays.placeSquares.clear();
    }
    return arrays;
}

std::shared_ptr<const SiteStatistics> restored(const CalibrationArrays& arrays, const std::string& subject)
{
    checkLengths(arrays, subject);
    auto site = std::make_shared<SiteStatistics>();
    site->site = arrays.name;
    site->axis = arrays.axis;
    site->groups.resize(arrays.count.size());
    std::size_t offset = 0;
    for (std::size_t i = 0; i < site->groups.size(); ++i) {
        GroupStatistics& group = site->groups[i];
        group.count = arrays.count[i];
        group.nonFinite = arrays.nonFinite[i];
        group.minimum = arrays.minimum[i];
        group.maximum = arrays.maximum[i];
        group.sum = arrays.sum[i];
        group.sumOfSquares = arrays.squares[i];
        if (arrays.scale[i] > 1) {
            fail(subject, i, "unknown kind of bins " + std::to_string(arrays.scale[i]));
        }
        group.histogram.scale = arrays.scale[i] == 0 ? BinScale::Linear : BinScale::Log2;
        group.histogram.firstBin = arrays.firstBin[i];
        group.histogram.width = arrays.width[i];
        group.histogram.zeros = arrays.zeros[i];
        group.histogram.counts.resize(arrays.bins[i]);
        checkGrid(group.histogram, subject, i);
        fillHistogram(group.histogram, arrays, offset, subject, i);
        offset += arrays.bins[i];
        checkGroup(group, subject, i);
        checkBinsAgainstGroup(group, subject, i);
    }
    site->samples = samplesFrom(arrays, *site, subject);
    return site;
}

void hashArrays(Sha256& hash, const CalibrationArrays& arrays)
{
    const std::array<std::uint64_t, 3> head {
        arrays.name.size(), static_cast<std::uint64_t>(arrays.axis), static_cast<std::uint64_t>(arrays.form)};
    hash.update(std::as_bytes(std::span(head)));
    hash.update(std::as_bytes(std::span(arrays.name)));
    hashVector(hash, arrays.count);
    hashVector(hash, arrays.nonFinite);
    hashVector(hash, arrays.minimum);
    hashVector(hash, arrays.maximum);
    hashVector(hash, arrays.sum);
    hashVector(hash, arrays.squares);
    hashVector(hash, arrays.scale);
    hashVector(hash, arrays.width);
    hashVector(hash, arrays.firstBin);
    hashVector(hash, arrays.zeros);
    hashVector(hash, arrays.bins);
    hashVector(hash, arrays.binCount);
    hashVector(hash, arrays.placeSum);
    hashVector(hash, arrays.placeSquares);
    hashVector(hash, arrays.binSum);
    hashVector(hash, arrays.binSquares);
    if (arrays.hasSamples()) { // files of version 1 have none
        hashVector(hash, arrays.lowestSample);
        hashVector(hash, arrays.lowestMinimum);
        hashVector(hash, arrays.lowestMaximum);
        hashVector(hash, arrays.highestSample);
        hashVector(hash, arrays.highestMinimum);
        hashVector(hash, arrays.highestMaximum);
        hashVector(hash, arrays.spanSamples);
        hashVector(hash, arrays.spanMinimum);
        hashVector(hash, arrays.spanMaximum);
        hashVector(hash, arrays.spanValues);
    }
}

} // namespace qs
