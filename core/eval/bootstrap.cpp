#include "core/eval/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

/// Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014).
class SplitMix64
{
public:
    explicit SplitMix64(std::uint64_t seed)
        : m_state(seed)
    {
    }
    std::uint64_t next()
    {
        m_state += 0x9E3779B97F4A7C15U;
        std::uint64_t z = m_state;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
        return z ^ (z >> 31U);
    }
    /// In [0, count); count below 2^32.
    std::size_t below(std::size_t count)
    {
        return static_cast<std::size_t>(((next() >> 32U) * static_cast<std::uint64_t>(count)) >> 32U);
    }

private:
    std::uint64_t m_state;
};

/// Of ascending values.
double quantileOf(std::span<const double> values, double p)
{
    const double rank = p * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(rank);
    const double low = values[below];
    const double high = values[std::min(below + 1, values.size() - 1)];
    const double part = rank - static_cast<double>(below);
    return low == high || part == 0.0 ? low : low + part * (high - low); // equal infinities stay
}

BootstrapInterval intervalOf(std::vector<double> values, double coverage)
{
    std::erase_if(values, [](double value) { return std::isnan(value); });
    if (values.empty()) {
        constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
        return {kUnknown, kUnknown};
    }
    std::ranges::sort(values);
    const double tail = (1.0 - coverage) / 2.0;
    return {quantileOf(values, tail), quantileOf(values, 1.0 - tail)};
}

} // namespace

std::vector<BootstrapInterval> bootstrapIntervals(std::size_t samples, std::size_t count,
    const BootstrapOptions& options, const ResampleStatistics& statistics)
{
    std::vector<std::vector<double>> values(count);
    std::vector<std::size_t> draws(samples);
    std::vector<double> one(count);
    SplitMix64 generator(options.seed);
    for (std::int64_t resample = 0; samples > 0 && resample < options.resamples; ++resample) {
        for (std::size_t& draw : draws) {
            draw = generator.below(samples);
        }
        statistics(draws, one);
        for (std::size_t i = 0; i < count; ++i) {
            values[i].push_back(one[i]);
        }
    }
    std::vector<BootstrapInterval> intervals;
    for (std::vector<double>& each : values) {
        intervals.push_back(intervalOf(std::move(each), options.coverage));
    }
    return intervals;
}

} // namespace qs
