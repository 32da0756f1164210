#include "core/stats/bin_moments.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

constexpr int kLowestExponent = -126; // 2^126, the reciprocal of the width, is still a float
constexpr int kMantissaBits = 23;

/// sum x and sum x^2 of a bin from the moments of the places in it.
struct BinSums
{
    double sum;
    double squares;
};

BinSums sumsOf(const Histogram& histogram, std::size_t bin, std::uint64_t count, float sum, float squares)
{
    const double edge = histogram.edge(bin);
    const double step = histogram.edge(bin + 1) - edge;
    const auto n = static_cast<double>(count);
    const double t = sum;
    const double q = squares;
    // Rounding may take a sum of squares just below 0 in the bin below 0.
    return {edge * n + step * t, std::max(edge * edge * n + 2.0 * edge * step * t + step * step * q, 0.0)};
}

} // namespace

double ValueGrid::width() const
{
    return std::ldexp(1.0, exponent);
}

ValueGrid gridOfWidth(float minimum, float maximum, int exponent)
{
    // In float, as the kernels do it: what underflows there must underflow here.
    const auto scale = static_cast<float>(std::ldexp(1.0, -exponent));
    return {exponent, static_cast<std::int64_t>(std::floor(minimum * scale)),
        static_cast<std::int64_t>(std::floor(maximum * scale))};
}

ValueGrid gridFor(float minimum, float maximum, std::int64_t bins)
{
    const double magnitude = std::max(std::fabs(double {minimum}), std::fabs(double {maximum}));
    const double span = double {maximum} - double {minimum};
    int exponent = kLowestExponent;
    if (magnitude > 0.0) {
        exponent = std::max(exponent, std::ilogb(magnitude) - kMantissaBits);
    }
    if (span > 0.0) {
        // Any width that fits is more than span / bins.
        exponent = std::max(exponent, std::ilogb(span / static_cast<double>(bins)));
    }
    ValueGrid grid = gridOfWidth(minimum, maximum, exponent);
    while (grid.last - grid.first >= bins) {
        grid = gridOfWidth(minimum, maximum, grid.exponent + 1);
    }
    return grid;
}

void addCoarsened(
    std::span<BinMoments> target, std::span<const BinMoments> source, const ValueGrid& sourceGrid, int steps)
{
    const auto targetMask = static_cast<std::int64_t>(target.size()) - 1;
    const auto sourceMask = static_cast<std::int64_t>(source.size()) - 1;
    const double ratio = std::ldexp(1.0, steps);
    const double shrink = std::ldexp(1.0, -steps);
    for (std::int64_t bin = sourceGrid.first; bin <= sourceGrid.last; ++bin) {
        const BinMoments& from = source[static_cast<std::size_t>(bin & sourceMask)];
        if (from.count == 0.0) {
            continue;
        }
        const std::int64_t coarse = bin >> std::min(steps, 63);
        const double before
            = static_cast<double>(bin) - static_cast<double>(coarse) * ratio; // bins below in the pair
        BinMoments& to = target[static_cast<std::size_t>(coarse & targetMask)];
        to.count += from.count;
        to.sum += (before * from.count + from.sum) * shrink;
        to.squares += ((before * from.count + 2.0 * from.sum) * before + from.squares) * shrink * shrink;
    }
}

void setBin(Histogram& histogram, std::size_t bin, std::uint64_t count, float sum, float squares)
{
    const BinSums sums = sumsOf(histogram, bin, count, sum, squares);
    histogram.counts[bin] = count;
    histogram.sums[bin] = sums.sum;
    histogram.squares[bin] = sums.squares;
}

bool placesOfBin(const Histogram& histogram, std::size_t bin, float& sum, float& squares)
{
    const double edge = histogram.edge(bin);
    const double step = histogram.edge(bin + 1) - edge;
    const auto n = static_cast<double>(histogram.counts[bin]);
    sum = static_cast<float>((histogram.sums[bin] - edge * n) / step);
    const double rest = histogram.squares[bin] - (edge * edge * n + 2.0 * edge * step * double {sum});
    squares = static_cast<float>(rest / (step * step));
    const BinSums sums = sumsOf(histogram, bin, histogram.counts[bin], sum, squares);
    return sums.sum == histogram.sums[bin] && sums.squares == histogram.squares[bin];
}

} // namespace qs
