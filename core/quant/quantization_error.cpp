#include "core/quant/quantization_error.h"

#include "core/base/error.h"
#include "core/quant/log_bin_error.h"
#include "core/quant/uniform_bin_error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace qs {

namespace {

void requireFitting(const QuantParams& params, std::size_t groups)
{
    const std::size_t scales = params.scales.size();
    if (scales == 0 || (scales != 1 && scales != groups) || params.zeroPoints.size() != scales) {
        throw Error(ErrorCode::InvalidArgument,
            std::to_string(scales) + " scales and " + std::to_string(params.zeroPoints.size())
                + " zero points do not fit " + std::to_string(groups) + " channels or heads");
    }
}

/// Calls visit(bin, moments) for every bin with values, in order.
template<typename Visit>
void forEachBin(const GroupStatistics& group, Visit visit)
{
    const Histogram& histogram = group.histogram;
    const double minimum = group.minimum;
    const double maximum = group.maximum;
    for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
        const std::uint64_t count = histogram.counts[bin];
        if (count == 0) {
            continue;
        }
        // No value lies outside [minimum, maximum], which narrows the outermost bins.
        visit(bin,
            BinMoments {std::max(histogram.edge(bin), minimum), std::min(histogram.edge(bin + 1), maximum),
                static_cast<double>(count), histogram.sums[bin], histogram.squares[bin]});
    }
}

/// The values that are in no bin, of which the moments are what the bins leave over.
BinMoments unbinned(const GroupStatistics& group)
{
    const Histogram& histogram = group.histogram;
    const auto count = static_cast<double>(histogram.zeros);
    BinMoments rest {
        std::min(0.0, static_cast<double>(group.minimum)), 0.0, count, group.sum, group.sumOfSquares};
    if (histogram.size() > 0) {
        rest.upper = std::max(0.0, std::min(histogram.edge(0), static_cast<double>(group.maximum)));
    }
    for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
        rest.sum -= histogram.sums[bin];
        rest.squares -= histogram.squares[bin];
    }
    const double farthest = std::max(-rest.lower, rest.upper);
    rest.sum = std::clamp(rest.sum, count * rest.lower, count * rest.upper);
    rest.squares = std::clamp(rest.squares, rest.sum * rest.sum / count, count * farthest * farthest);
    return rest;
}

template<typename BinError>
QuantizationError errorOfGroup(const GroupStatistics& group, const BinError& binError)
{
    QuantizationError error;
    error.count = group.count;
    error.signal = group.sumOfSquares;
    error.mass = group.sum;
    if (group.histogram.zeros > 0) {
        binError.add(unbinned(group), error);
    }
    forEachBin(group, [&](std::size_t, const BinMoments& bin) { binError.add(bin, error); });
    return error;
}

template<typename BinError>
BinErrors errorPerBin(const GroupStatistics& group, const BinError& binError)
{
    BinErrors errors;
    errors.clipping.assign(group.histogram.size(), 0.0);
    errors.rounding.assign(group.histogram.size(), 0.0);
    forEachBin(group, [&](std::size_t index, const BinMoments& bin) {
        QuantizationError error;
        binError.add(bin, error);
        errors.clipping[index] = error.clipping;
        errors.rounding[index] = error.rounding;
    });
    return errors;
}

QuantizationError checkedErrorOfGroup(
    const GroupStatistics& group, const QuantParams& params, std::int64_t groupIndex)
{
    if (params.kind == QuantizerKind::Uniform) {
        return errorOfGroup(group, UniformBinError(params, groupIndex));
    }
    return errorOfGroup(group, LogBinError(params, groupIndex));
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
    count += other.count;
    clipped += other.clipped;
    zeroed += other.zeroed;
    mass += other.mass;
    zeroedMass += other.zeroedMass;
    return *this;
}

QuantizationError quantizationErrorOfGroup(
    const GroupStatistics& group, const QuantParams& params, std::int64_t groupIndex)
{
    requireFitting(
        params, std::max<std::size_t>(params.scales.size(), static_cast<std::size_t>(groupIndex) + 1));
    return checkedErrorOfGroup(group, params, groupIndex);
}

QuantizationError quantizationError(const SiteStatistics& statistics, const QuantParams& params)
{
    requireFitting(params, statistics.groups.size());
    QuantizationError total;
    for (std::size_t group = 0; group < statistics.groups.size(); ++group) {
        total += checkedErrorOfGroup(statistics.groups[group], params, static_cast<std::int64_t>(group));
    }
    return total;
}

BinErrors quantizationErrorPerBin(
    const GroupStatistics& group, const QuantParams& params, std::int64_t groupIndex)
{
    requireFitting(
        params, std::max<std::size_t>(params.scales.size(), static_cast<std::size_t>(groupIndex) + 1));
    return params.kind == QuantizerKind::Uniform ? errorPerBin(group, UniformBinError(params, groupIndex))
                                                 : errorPerBin(group, LogBinError(params, groupIndex));
}

} // namespace qs
