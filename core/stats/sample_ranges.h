#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace qs {

/// Smallest and largest of some values; empty until the first one.
struct ValueRange
{
    float minimum = 0.0F;
    float maximum = 0.0F;
    bool isEmpty = true;

    void include(float low, float high);
    friend bool operator==(const ValueRange&, const ValueRange&) = default;
};

/// Range of one site's finite values in one sample.
struct SampleRange
{
    std::int64_t sample = 0; ///< its number in the calibration set
    float minimum = 0.0F;
    float maximum = 0.0F;

    friend bool operator==(const SampleRange&, const SampleRange&) = default;
};

/// Range over some consecutive samples.
struct SampleSpan
{
    std::int64_t samples = 0;
    ValueRange range;

    friend bool operator==(const SampleSpan&, const SampleSpan&) = default;
};

/// The samples' ranges of one site, of bounded size for any number of samples: the extreme samples exactly,
/// the course of the range in spans that grow with the number of samples. Depends on the samples and their
/// order alone.
struct SampleRanges
{
    static constexpr std::size_t kExtremes = 16;
    static constexpr std::size_t kSpans = 256;

    std::int64_t samples = 0; ///< seen; also those without a finite value
    std::vector<SampleRange> lowest; ///< up to kExtremes, by minimum ascending, the earlier of equals first
    std::vector<SampleRange> highest; ///< by maximum descending
    /// At most kSpans, of equal length except for the last; of one sample each while there are no more
    /// samples than spans.
    std::vector<SampleSpan> spans;

    /// The next sample. Amortised constant time.
    void add(const ValueRange& range);

    friend bool operator==(const SampleRanges&, const SampleRanges&) = default;
};

/// Sample after sample of `first`, then of `second`, whose numbers follow; spans may then differ in length.
[[nodiscard]] SampleRanges joined(const SampleRanges& first, const SampleRanges& second);

} // namespace qs
