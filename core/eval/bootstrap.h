#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace qs {

/// Where a statistic lies, by resampling: the middle `coverage` of its values over the resamples.
struct BootstrapInterval
{
    double lower = 0.0;
    double upper = 0.0;

    friend bool operator==(const BootstrapInterval&, const BootstrapInterval&) = default;
};

struct BootstrapOptions
{
    std::int64_t resamples = 1000;
    std::uint64_t seed = 1;
    double coverage = 0.95; ///< in (0, 1)

    friend bool operator==(const BootstrapOptions&, const BootstrapOptions&) = default;
};

/// Computes statistics of a resample, given by the indices drawn, into the second span. NaN: this resample
/// says nothing of that statistic.
using ResampleStatistics = std::function<void(std::span<const std::size_t> draws, std::span<double> values)>;

/// Percentile intervals (Efron 1979) of `count` statistics of `samples` independent samples: every resample
/// draws as many of them with replacement, index = (x * samples) >> 32 with x the upper half of
/// SplitMix64(seed), and the ends are quantiles of type 7 (linear interpolation). The same draws whatever the
/// statistics are, so that intervals of different sites can be compared. The same seed gives the same bits.
/// With no sample or no resample both ends are NaN.
[[nodiscard]] std::vector<BootstrapInterval> bootstrapIntervals(std::size_t samples, std::size_t count,
    const BootstrapOptions& options, const ResampleStatistics& statistics);

} // namespace qs
