#include "core/quant/quantization_error.h"

#include "core/quant/quantizer_cells.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

/// Cells a bin may span before its rounding error is taken from the formula for many cells.
constexpr std::int64_t kManyCells = 16;

/// Integral of (x - r)^2 over [a, b].
double integralOfSquare(double a, double b, double r)
{
    const double u = b - r;
    const double v = a - r;
    return (u * u * u - v * v * v) / 3.0;
}

/// Least and largest (x - r)^2 over [a, b].
std::pair<double, double> rangeOfSquare(double a, double b, double r)
{
    const double largest = std::max((a - r) * (a - r), (b - r) * (b - r));
    const double least = r < a ? (a - r) * (a - r) : r > b ? (b - r) * (b - r) : 0.0;
    return {least, largest};
}

/// Adds the error of `count` values in [lower, upper) that lie in several cells, as if spread evenly.
void addStraddling(const QuantizerCells& cells, std::int64_t first, std::int64_t last, double lower,
    double upper, double count, QuantizationError& error)
{
    const double width = upper - lower;
    double estimate = 0.0;
    double least = std::numeric_limits<double>::infinity();
    double largest = 0.0;
    if (last - first > kManyCells && !cells.isClipped(first) && !cells.isClipped(last)) {
        const double step = cells.step();
        estimate = count * step * step / 12.0;
        least = 0.0;
        largest = step * step / 4.0;
        error.rounding += estimate;
    } else {
        double from = lower;
        for (std::int64_t cell = first; cell <= last; ++cell) {
            const double to = std::min(upper, cells.upperEdge(cell));
            if (to <= from) {
                continue;
            }
            const double level = cells.level(cell);
            const double part = count / width * integralOfSquare(from, to, level);
            const auto [low, high] = rangeOfSquare(from, to, level);
            least = std::min(least, low);
            largest = std::max(largest, high);
            estimate += part;
            (cells.isClipped(cell) ? error.clipping : error.rounding) += part;
            const double inside = count * (to - from) / width;
            if (cells.isClipped(cell)) {
                error.clipped += static_cast<std::uint64_t>(std::llround(inside));
            }
            if (cells.isZeroed(cell)) {
                error.zeroed += static_cast<std::uint64_t>(std::llround(inside));
                error.zeroedMass += inside * 0.5 * (from + to);
            }
            from = to;
        }
    }
    // Every value of the bin has an error between the least and the largest of the bin.
    error.uncertainty += std::max(estimate - count * least, count * largest - estimate);
}

void addWhole(const QuantizerCells& cells, std::int64_t cell, double count, double sum, double squares,
    QuantizationError& error)
{
    const double level = cells.level(cell);
    const double part = std::max(0.0, squares - 2.0 * level * sum + count * level * level);
    (cells.isClipped(cell) ? error.clipping : error.rounding) += part;
    if (cells.isClipped(cell)) {
        error.clipped += static_cast<std::uint64_t>(count);
    }
    if (cells.isZeroed(cell)) {
        error.zeroed += static_cast<std::uint64_t>(count);
        error.zeroedMass += sum;
    }
}

} // namespace

double QuantizationError::sqnrDb() const
{
    if (total() <= 0.0) {
        return std::numeric_limits<double>::infinity();
    }
    return signal <= 0.0 ? 0.0 : 10.0 * std::log10(signal / total());
}

QuantizationError& QuantizationError::operator+=(const QuantizationError& other)
{
    clipping += other.clipping;
    rounding += other.rounding;
    uncertainty += other.uncertainty;
    signal += other.signal;
    mass += other.mass;
    zeroedMass += other.zeroedMass;
    count += other.count;
    clipped += other.clipped;
    zeroed += other.zeroed;
    return *this;
}

QuantizationError quantizationErrorOfGroup(
    const GroupStatistics& group, const QuantParams& params, std::int64_t groupIndex)
{
    const QuantizerCells cells(params, groupIndex);
    const Histogram& histogram = group.histogram;
    QuantizationError error;
    error.count = group.count;
    error.signal = group.sumOfSquares;
    error.mass = group.sum;
    for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
        if (histogram.counts[bin] == 0) {
            continue;
        }
        const auto count = static_cast<double>(histogram.counts[bin]);
        // No value lies outside [minimum, maximum], which narrows the outermost bins.
        const double lower = std::max(histogram.edge(bin), static_cast<double>(group.minimum));
        const double upper = std::min(histogram.edge(bin + 1), static_cast<double>(group.maximum));
        const std::int64_t first = cells.cellOf(lower);
        const std::int64_t last = upper > lower ? cells.cellOf(upper) : first;
        if (first == last || cells.upperEdge(first) >= upper) {
            addWhole(cells, first, count, histogram.sums[bin], histogram.squares[bin], error);
        } else {
            addStraddling(cells, first, last, lower, upper, count, error);
        }
    }
    if (histogram.zeros > 0) {
        // Exactly zero, or below the smallest bin: the error of a value taken as 0 is off by far less than
        // rounding.
        addWhole(cells, cells.cellOf(0.0), static_cast<double>(histogram.zeros), 0.0, 0.0, error);
    }
    return error;
}

QuantizationError quantizationError(const SiteStatistics& statistics, const QuantParams& params)
{
    QuantizationError total;
    for (std::size_t group = 0; group < statistics.groups.size(); ++group) {
        total += quantizationErrorOfGroup(statistics.groups[group], params, static_cast<std::int64_t>(group));
    }
    return total;
}

} // namespace qs
