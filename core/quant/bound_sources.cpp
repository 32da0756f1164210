#include "core/quant/bound_sources.h"

#include "core/quant/fake_quantizer.h"
#include "core/quant/float_quantile.h"
#include "core/quant/quantization_error.h"
#include "core/quant/row_kernels.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

namespace qs {

namespace {

/// Quantiles of values are asked for up to this far from the ends.
constexpr double kTail = 0.001;

void addTo(AxisCounts& counts, const GroupStatistics& group)
{
    const Histogram& histogram = group.histogram;
    const double minimum = group.minimum;
    const double maximum = group.maximum;
    if (histogram.zeros > 0) {
        counts.add(std::clamp(0.0, minimum, maximum), static_cast<double>(histogram.zeros));
    }
    for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
        if (histogram.counts[bin] > 0) {
            counts.addSpread(std::max(histogram.edge(bin), minimum),
                std::min(histogram.edge(bin + 1), maximum), static_cast<double>(histogram.counts[bin]));
        }
    }
}

} // namespace

GroupSource::GroupSource(const GroupStatistics& group)
    : m_group(group)
{
}

double GroupSource::minimum() const
{
    return m_group.minimum;
}

double GroupSource::maximum() const
{
    return m_group.maximum;
}

double GroupSource::mean() const
{
    return std::clamp(m_group.sum / static_cast<double>(m_group.count), minimum(), maximum());
}

double GroupSource::quantile(double p) const
{
    return qs::quantile(m_group.histogram, p, minimum(), maximum());
}

double GroupSource::squaredError(const QuantParams& params) const
{
    return quantizationErrorOfGroup(m_group, params, 0).total();
}

std::vector<double> GroupSource::histogram(const ValueAxis& axis) const
{
    AxisCounts counts(axis);
    addTo(counts, m_group);
    return counts.counts();
}

std::size_t GroupSource::resolution() const
{
    return std::min(static_cast<std::size_t>(m_group.count) / kValuesPerPart, m_group.histogram.size());
}

SiteSource::SiteSource(const SiteStatistics& statistics, const TaskContext& context)
    : m_statistics(statistics)
    , m_context(context)
    , m_minimum(statistics.minimum())
    , m_maximum(statistics.maximum())
{
    for (const GroupStatistics& group : statistics.groups) {
        const Histogram& histogram = group.histogram;
        m_zeros += static_cast<double>(histogram.zeros);
        if (group.count == 0 || histogram.size() == 0) {
            continue;
        }
        Cumulative cumulative;
        double below = 0.0;
        for (std::size_t bin = 0; bin <= histogram.size(); ++bin) {
            const double lowest = group.minimum;
            const double highest = group.maximum;
            cumulative.edges.push_back(std::clamp(histogram.edge(bin), lowest, highest));
            cumulative.counts.push_back(below);
            below += bin < histogram.size() ? static_cast<double>(histogram.counts[bin]) : 0.0;
        }
        m_cumulative.push_back(std::move(cumulative));
    }
}

double SiteSource::minimum() const
{
    return m_minimum;
}

double SiteSource::maximum() const
{
    return m_maximum;
}

double SiteSource::mean() const
{
    double sum = 0.0;
    for (const GroupStatistics& group : m_statistics.groups) {
        sum += group.sum;
    }
    return std::clamp(sum / static_cast<double>(m_statistics.count()), m_minimum, m_maximum);
}

double SiteSource::countBelow(double value) const
{
    double count = value > 0.0 ? m_zeros : 0.0;
    for (const Cumulative& group : m_cumulative) {
        const auto above = std::upper_bound(group.edges.begin(), group.edges.end(), value);
        if (above == group.edges.begin()) {
            continue;
        }
        if (above == group.edges.end()) {
            count += group.counts.back();
            continue;
        }
        const auto bin = static_cast<std::size_t>(above - group.edges.begin()) - 1;
        const double share = (value - group.edges[bin]) / (group.edges[bin + 1] - group.edges[bin]);
        count += group.counts[bin] + share * (group.counts[bin + 1] - group.counts[bin]);
    }
    return count;
}

double SiteSource::valueOfRank(double rank) const
{
    const auto last = static_cast<double>(m_statistics.count()) - 1.0;
    if (rank <= 0.0) {
        return m_minimum;
    }
    if (rank >= last) {
        return m_maximum;
    }
    double low = m_minimum; // below rank + 1/2 values, or as few as there are
    double high = m_maximum;
    for (int halving = 0; halving < 60 && low < high; ++halving) {
        const double middle = 0.5 * (low + high);
        (countBelow(middle) < rank + 0.5 ? low : high) = middle;
    }
    return high;
}

double SiteSource::quantile(double p) const
{
    const double h = (static_cast<double>(m_statistics.count()) - 1.0) * std::clamp(p, 0.0, 1.0);
    const double rank = std::floor(h);
    const double below = valueOfRank(rank);
    if (h == rank) {
        return below;
    }
    const double above = valueOfRank(rank + 1.0);
    return below + (h - rank) * (above - below);
}

double SiteSource::squaredError(const QuantParams& params) const
{
    // A millisecond of work at most, a hundred times over: threads are better spent on whole sites.
    m_context.throwIfCancelled();
    return quantizationError(m_statistics, params).total();
}

std::vector<double> SiteSource::histogram(const ValueAxis& axis) const
{
    m_context.throwIfCancelled();
    AxisCounts counts(axis);
    for (const GroupStatistics& group : m_statistics.groups) {
        if (group.count > 0) {
            addTo(counts, group);
        }
    }
    return counts.counts();
}

std::size_t SiteSource::resolution() const
{
    std::size_t bins = 0;
    for (const GroupStatistics& group : m_statistics.groups) {
        bins += group.histogram.size();
    }
    return std::min(static_cast<std::size_t>(m_statistics.count()) / kValuesPerPart, bins);
}

SampleSource::SampleSource(std::vector<float> values, Quantiles quantiles)
    : m_values(std::move(values))
{
    float lowest = m_values.front();
    float highest = lowest;
    double sum = 0.0;
    for (const float value : m_values) {
        lowest = value < lowest ? value : lowest;
        highest = value > highest ? value : highest;
        sum += static_cast<double>(value);
    }
    m_minimum = lowest;
    m_maximum = highest;
    m_mean = std::clamp(sum / static_cast<double>(m_values.size()), m_minimum, m_maximum);
    if (quantiles == Quantiles::Tails) {
        const auto tail = static_cast<std::ptrdiff_t>(std::min(
            m_values.size(), static_cast<std::size_t>(kTail * static_cast<double>(m_values.size())) + 2));
        const auto sortTail = [tail](auto first, auto last, auto before) {
            std::nth_element(first, first + (tail - 1), last, before);
            std::sort(first, first + tail, before);
        };
        sortTail(m_values.begin(), m_values.end(), std::less<float> {});
        if (2 * static_cast<std::size_t>(tail) <= m_values.size()) {
            sortTail(m_values.rbegin(), m_values.rend() - tail, std::greater<float> {});
        } else {
            std::ranges::sort(m_values);
        }
    }
}

double SampleSource::quantile(double p) const
{
    return static_cast<double>(
        floatQuantile(m_values.size(), p, [this](std::size_t rank) { return m_values[rank]; }));
}

double SampleSource::squaredError(const QuantParams& params) const
{
    if (params.kind == QuantizerKind::Uniform) {
        return rowKernels().uniformError(m_values.data(), m_values.size(), uniformScale(params, 0));
    }
    constexpr std::size_t kBlock = 1024;
    const FakeQuantizer quantizer(params);
    std::array<float, kBlock> block {};
    double total = 0.0;
    for (std::size_t first = 0; first < m_values.size(); first += kBlock) {
        const auto values = std::span(m_values).subspan(first, std::min(kBlock, m_values.size() - first));
        quantizer.transformRow(0, values, block.data());
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double difference = static_cast<double>(values[i]) - static_cast<double>(block[i]);
            total += difference * difference;
        }
    }
    return total;
}

std::vector<double> SampleSource::histogram(const ValueAxis& axis) const
{
    AxisCounts counts(axis);
    for (const float value : m_values) {
        counts.add(static_cast<double>(value));
    }
    return counts.counts();
}

} // namespace qs
