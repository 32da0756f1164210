#include "core/stats/histogram.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

/// Samples `count` of a bin evenly spread over [lower, upper): where number `index` of them lies.
double spread(double lower, double upper, double index, double count)
{
    return lower + (upper - lower) * ((index + 0.5) / count);
}

/// Walks along the sorted samples of a histogram; asked for ranks in ascending order.
class RankWalk
{
public:
    RankWalk(const Histogram& histogram, double minimum, double maximum)
        : m_histogram(histogram)
        , m_minimum(minimum)
        , m_maximum(maximum)
        , m_total(histogram.total())
        , m_seen(histogram.zeros)
    {
    }

    double valueAt(std::uint64_t rank)
    {
        if (rank == 0) {
            return m_minimum;
        }
        if (rank + 1 >= m_total) {
            return m_maximum;
        }
        if (rank < m_histogram.zeros) {
            return std::clamp(0.0, m_minimum, m_maximum);
        }
        while (m_bin < m_histogram.size() && m_seen + m_histogram.counts[m_bin] <= rank) {
            m_seen += m_histogram.counts[m_bin];
            ++m_bin;
        }
        const double lower = std::max(m_histogram.edge(m_bin), m_minimum);
        const double upper = std::min(m_histogram.edge(m_bin + 1), m_maximum);
        const auto index = static_cast<double>(rank - m_seen);
        const auto count = static_cast<double>(m_histogram.counts[m_bin]);
        return std::clamp(spread(lower, upper, index, count), m_minimum, m_maximum);
    }

private:
    const Histogram& m_histogram;
    double m_minimum;
    double m_maximum;
    std::uint64_t m_total;
    std::uint64_t m_seen;
    std::size_t m_bin = 0;
};

/// Pairwise merges of adjacent bins that take a grid of width `from` to one of width `to` >= from, both
/// powers of two.
int doublings(double from, double to)
{
    const double ratio = to / from;
    const int steps = std::ilogb(ratio);
    if (!(from > 0.0) || !std::isfinite(ratio) || ratio < 1.0 || std::ldexp(1.0, steps) != ratio) {
        throw Error(ErrorCode::InvalidArgument,
            "histograms of bin width " + std::to_string(from) + " and " + std::to_string(to)
                + " have no common grid: widths must be powers of two");
    }
    return std::min(steps, 63);
}

/// Bin range [first, last] that all parts cover on a grid of width `width`.
struct BinRange
{
    std::int64_t first = std::numeric_limits<std::int64_t>::max();
    std::int64_t last = std::numeric_limits<std::int64_t>::min();
};

BinRange rangeOf(const std::vector<const Histogram*>& parts, double width)
{
    BinRange range;
    for (const Histogram* part : parts) {
        if (part->size() > 0) {
            const int steps = doublings(part->width, width);
            const std::int64_t last = part->firstBin + static_cast<std::int64_t>(part->size()) - 1;
            range.first = std::min(range.first, part->firstBin >> steps);
            range.last = std::max(range.last, last >> steps);
        }
    }
    return range;
}

void addTo(Histogram& sum, const Histogram& part)
{
    if (part.size() == 0) { // it has no grid either
        return;
    }
    const int steps = doublings(part.width, sum.width);
    for (std::size_t i = 0; i < part.size(); ++i) {
        const std::int64_t bin = (part.firstBin + static_cast<std::int64_t>(i)) >> steps;
        const auto target = static_cast<std::size_t>(bin - sum.firstBin);
        sum.counts[target] += part.counts[i];
        sum.sums[target] += part.sums[i];
        sum.squares[target] += part.squares[i];
    }
}

} // namespace

double Histogram::edge(std::size_t bin) const
{
    const double position = static_cast<double>(firstBin + static_cast<std::int64_t>(bin)) * width;
    if (scale == BinScale::Linear) {
        return position;
    }
    const double octave = std::floor(position);
    return std::ldexp(1.0 + (position - octave), static_cast<int>(std::clamp(octave, -4096.0, 4096.0)));
}

std::uint64_t Histogram::total() const
{
    std::uint64_t sum = zeros;
    for (const std::uint64_t count : counts) {
        sum += count;
    }
    return sum;
}

double quantile(const Histogram& histogram, double p, double minimum, double maximum)
{
    const std::uint64_t n = histogram.total();
    if (n == 0) {
        return minimum;
    }
    const double h = static_cast<double>(n - 1) * std::clamp(p, 0.0, 1.0);
    const auto rank = static_cast<std::uint64_t>(h);
    const double fraction = h - std::floor(h);
    RankWalk walk(histogram, minimum, maximum);
    const double below = walk.valueAt(rank);
    if (fraction == 0.0 || rank + 1 >= n) {
        return below;
    }
    const double above = walk.valueAt(rank + 1);
    return std::clamp(below + fraction * (above - below), minimum, maximum);
}

Histogram merged(const std::vector<const Histogram*>& parts, std::size_t maxBins)
{
    Histogram sum;
    bool hasBins = false;
    for (const Histogram* part : parts) {
        if (part->size() > 0) {
            if (hasBins && part->scale != sum.scale) {
                throw Error(
                    ErrorCode::InvalidArgument, "histograms with linear and log2 bins cannot be merged");
            }
            sum.scale = part->scale;
            sum.width = hasBins ? std::max(sum.width, part->width) : part->width;
            hasBins = true;
        } else if (!hasBins) {
            sum.scale = part->scale;
        }
        sum.zeros += part->zeros;
    }
    if (!hasBins) {
        return sum;
    }
    const auto limit = static_cast<std::int64_t>(std::max<std::size_t>(maxBins, 2));
    BinRange range = rangeOf(parts, sum.width);
    while (range.last - range.first >= limit) {
        sum.width *= 2.0;
        range.first >>= 1;
        range.last >>= 1;
    }
    const auto bins = static_cast<std::size_t>(range.last - range.first + 1);
    sum.firstBin = range.first;
    sum.counts.assign(bins, 0);
    sum.sums.assign(bins, 0.0);
    sum.squares.assign(bins, 0.0);
    for (const Histogram* part : parts) {
        addTo(sum, *part);
    }
    return sum;
}

} // namespace qs
