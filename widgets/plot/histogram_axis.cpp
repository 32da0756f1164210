#include "widgets/plot/histogram_axis.h"

#include <algorithm>
#include <cmath>

namespace qs {

Bounds HistogramAxis::full() const
{
    const Bounds range {std::min(values.lower, lowerBound.value_or(values.lower)),
        std::max(values.upper, upperBound.value_or(values.upper))};
    if (scale == AxisScale::Log) {
        const double lower = lowestPositive();
        const double upper = std::max(range.upper, 2.0 * lower);
        const double margin = std::pow(upper / lower, 0.03);
        return {lower / margin, upper * margin};
    }
    const double span = range.upper - range.lower;
    const double margin = span > 0.0 ? 0.05 * span : std::max(std::abs(range.upper) * 0.1, 1e-6);
    return {range.lower - margin, range.upper + margin};
}

double HistogramAxis::lowestPositive() const
{
    if (histogram == nullptr || histogram->size() == 0) {
        return 1e-9;
    }
    std::size_t bin = 0;
    while (bin + 1 < histogram->size() && (histogram->counts[bin] == 0 || histogram->edge(bin + 1) <= 0.0)) {
        ++bin;
    }
    const double edge = histogram->edge(bin);
    return edge > 0.0 ? edge : histogram->edge(bin + 1) / 2.0;
}

Bounds HistogramAxis::constrained(Bounds wanted) const
{
    const Bounds all = full();
    Bounds limit {all.lower / 4.0, all.upper * 4.0};
    if (scale == AxisScale::Linear) {
        const double span = all.upper - all.lower;
        const double room = std::min((wanted.upper - wanted.lower) / 2.0, span);
        limit = {all.lower - room, all.upper + room};
        const double smallest = std::min(histogram == nullptr ? 0.0 : 4.0 * histogram->width, span);
        if (wanted.upper - wanted.lower < smallest) {
            const double centre = (wanted.lower + wanted.upper) / 2.0;
            wanted = {centre - smallest / 2.0, centre + smallest / 2.0};
        }
    }
    // Moved as a whole first, cut where it is wider than the limit.
    if (wanted.lower < limit.lower) {
        wanted = {limit.lower, std::min(wanted.upper + limit.lower - wanted.lower, limit.upper)};
    }
    if (wanted.upper > limit.upper) {
        wanted = {std::max(wanted.lower - (wanted.upper - limit.upper), limit.lower), limit.upper};
    }
    return wanted;
}

} // namespace qs
