#include "core/quant/bound_search.h"

#include "core/quant/fake_quantizer.h"
#include "core/quant/resolve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace qs {

namespace {

constexpr std::size_t kMergedBins = 8192;

QuantParams oneScale(const SiteChoice& choice, const Bounds& bounds)
{
    QuantParams params;
    params.kind = choice.kind;
    params.symmetry = choice.symmetry;
    params.bits = choice.bits;
    params.axis = GroupAxis::Head;
    appendScale(params, bounds);
    return params;
}

double errorOf(const SiteChoice& choice, const ValueSummary& values, const Bounds& bounds)
{
    return values.squaredError(oneScale(choice, bounds));
}

} // namespace

GroupSummary::GroupSummary(const GroupStatistics& group)
    : m_group(group)
{
}

double GroupSummary::minimum() const
{
    return m_group.count == 0 ? 0.0 : static_cast<double>(m_group.minimum);
}

double GroupSummary::maximum() const
{
    return m_group.count == 0 ? 0.0 : static_cast<double>(m_group.maximum);
}

double GroupSummary::quantileAt(double p) const
{
    return m_group.count == 0 ? 0.0 : quantile(m_group.histogram, p, minimum(), maximum());
}

double GroupSummary::squaredError(const QuantParams& params) const
{
    return quantizationErrorOfGroup(m_group, params, 0).total();
}

TensorSummary::TensorSummary(const SiteStatistics& statistics)
    : m_statistics(statistics)
    , m_merged(statistics.tensorHistogram(kMergedBins))
{
}

double TensorSummary::minimum() const
{
    return m_statistics.count() == 0 ? 0.0 : static_cast<double>(m_statistics.minimum());
}

double TensorSummary::maximum() const
{
    return m_statistics.count() == 0 ? 0.0 : static_cast<double>(m_statistics.maximum());
}

double TensorSummary::quantileAt(double p) const
{
    return m_statistics.count() == 0 ? 0.0 : quantile(m_merged, p, minimum(), maximum());
}

double TensorSummary::squaredError(const QuantParams& params) const
{
    return quantizationError(m_statistics, params).total();
}

SampleSummary::SampleSummary(std::vector<float> values)
    : m_sorted(std::move(values))
{
    std::erase_if(m_sorted, [](float value) { return !std::isfinite(value); });
    std::ranges::sort(m_sorted);
}

double SampleSummary::minimum() const
{
    return m_sorted.empty() ? 0.0 : static_cast<double>(m_sorted.front());
}

double SampleSummary::maximum() const
{
    return m_sorted.empty() ? 0.0 : static_cast<double>(m_sorted.back());
}

double SampleSummary::quantileAt(double p) const
{
    if (m_sorted.empty()) {
        return 0.0;
    }
    const double position = p * static_cast<double>(m_sorted.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(position));
    const std::size_t above = std::min(below + 1, m_sorted.size() - 1);
    const auto low = static_cast<double>(m_sorted[below]);
    return low + (position - static_cast<double>(below)) * (static_cast<double>(m_sorted[above]) - low);
}

double SampleSummary::squaredError(const QuantParams& params) const
{
    constexpr std::size_t kBlock = 512;
    std::array<float, kBlock> quantized {};
    const FakeQuantizer quantizer(params);
    double sum = 0.0;
    for (std::size_t first = 0; first < m_sorted.size(); first += kBlock) {
        const std::size_t size = std::min(kBlock, m_sorted.size() - first);
        const std::span<const float> block(m_sorted.data() + first, size);
        quantizer.transformRow(0, block, quantized.data());
        for (std::size_t i = 0; i < size; ++i) {
            const double difference = static_cast<double>(block[i]) - static_cast<double>(quantized[i]);
            sum += difference * difference;
        }
    }
    return sum;
}

Bounds percentileBounds(const SiteChoice& choice, const ValueSummary& values)
{
    Bounds best {values.minimum(), values.maximum()};
    double least = std::numeric_limits<double>::infinity();
    for (const double p : {0.999, 0.9999, 0.99999}) {
        const Bounds candidate {values.quantileAt(1.0 - p), values.quantileAt(p)};
        const double error = errorOf(choice, values, candidate);
        if (error < least) {
            least = error;
            best = candidate;
        }
    }
    return best;
}

Bounds leastSquaresBounds(const SiteChoice& choice, const ValueSummary& values)
{
    const double low = values.minimum();
    const double high = values.maximum();
    const double centre = std::clamp(0.0, low, high);
    const auto bounds = [&](int lowPercent, int highPercent) {
        return Bounds {
            centre + (low - centre) * lowPercent / 100.0, centre + (high - centre) * highPercent / 100.0};
    };
    constexpr int kSmallest = 20;
    constexpr int kReach = 5;
    int lowBest = 100;
    int highBest = 100;
    double least = errorOf(choice, values, bounds(100, 100));
    const auto consider = [&](int lowPercent, int highPercent) {
        const double error = errorOf(choice, values, bounds(lowPercent, highPercent));
        if (error < least) {
            least = error;
            lowBest = lowPercent;
            highBest = highPercent;
        }
    };
    if (high <= low) {
        return {low, high};
    }
    for (int percent = 99; percent >= kSmallest; --percent) {
        consider(percent, percent);
    }
    for (int round = 0; round < 3; ++round) {
        const int lowCentre = lowBest;
        for (int step = -kReach; step <= kReach && low < centre; ++step) {
            consider(std::clamp(lowCentre + step, kSmallest, 100), highBest);
        }
        const int highCentre = highBest;
        for (int step = -kReach; step <= kReach && high > centre; ++step) {
            consider(lowBest, std::clamp(highCentre + step, kSmallest, 100));
        }
        if (lowBest == lowCentre && highBest == highCentre) {
            break;
        }
    }
    return bounds(lowBest, highBest);
}

} // namespace qs
