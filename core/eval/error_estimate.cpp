#include "core/eval/error_estimate.h"

#include "core/base/error.h"
#include "core/eval/metrics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace qs {

namespace {

constexpr double kNormalQuantile = 1.959963984540054; ///< 0.975 of the normal distribution
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct MeanAndError
{
    double mean = 0.0;
    double error = 0.0; ///< standard error of the mean; +inf of a single sample
};

template<typename Figure>
MeanAndError meanOf(std::span<const SampleError> samples, Figure figure)
{
    const auto count = static_cast<double>(samples.size());
    double sum = 0.0;
    for (const SampleError& sample : samples) {
        sum += figure(sample);
    }
    const double mean = sum / count;
    double squares = 0.0;
    for (const SampleError& sample : samples) {
        squares += (figure(sample) - mean) * (figure(sample) - mean);
    }
    return {mean, samples.size() < 2 ? kInfinity : std::sqrt(squares / (count - 1.0) / count)};
}

Interval klOf(std::span<const SampleError> samples, double t)
{
    const auto [mean, error] = meanOf(samples, [](const SampleError& sample) { return sample.klNats; });
    return {mean, std::max(0.0, mean - t * error), mean + t * error};
}

Interval sqnrOf(std::span<const SampleError> samples, double t)
{
    double signal = 0.0;
    double noise = 0.0;
    for (const SampleError& sample : samples) {
        signal += sample.signal;
        noise += sample.noise;
    }
    const double value = sqnrDbOf(signal, noise);
    if (samples.size() < 2) {
        return {value, -kInfinity, kInfinity};
    }
    if (noise == 0.0 || signal == 0.0) {
        return {value, value, value};
    }
    const auto count = static_cast<double>(samples.size());
    const double error = meanOf(samples, [&](const SampleError& sample) {
        return sample.signal / (signal / count) - sample.noise / (noise / count);
    }).error; // of the logarithm of the ratio
    const double half = t * error * 10.0 * std::numbers::log10e;
    return {value, value - half, value + half};
}

Interval agreementOf(std::span<const SampleError> samples, double t)
{
    const auto [mean, error] = meanOf(samples, [](const SampleError& sample) { return sample.agreement; });
    if (samples.size() < 2) {
        return {100.0 * mean, 0.0, 100.0};
    }
    const bool isCount = std::ranges::all_of(samples,
        [](const SampleError& sample) { return sample.agreement == 0.0 || sample.agreement == 1.0; });
    if (!isCount) {
        return {
            100.0 * mean, 100.0 * std::max(0.0, mean - t * error), 100.0 * std::min(1.0, mean + t * error)};
    }
    const auto count = static_cast<double>(samples.size());
    const double z2 = kNormalQuantile * kNormalQuantile;
    const double centre = (mean + z2 / (2.0 * count)) / (1.0 + z2 / count);
    const double half = kNormalQuantile / (1.0 + z2 / count)
        * std::sqrt(mean * (1.0 - mean) / count + z2 / (4.0 * count * count));
    return {100.0 * mean, 100.0 * std::max(0.0, centre - half), 100.0 * std::min(1.0, centre + half)};
}

} // namespace

double studentQuantile(std::int64_t freedom)
{
    // For few degrees of freedom the expansion is too coarse.
    constexpr std::array kSmall {12.706205, 4.302653, 3.182446, 2.776445, 2.570582};
    if (freedom <= static_cast<std::int64_t>(kSmall.size())) {
        return kSmall[static_cast<std::size_t>(std::max<std::int64_t>(freedom, 1) - 1)];
    }
    // Cornish and Fisher's expansion (Abramowitz and Stegun 26.7.5).
    const double z = kNormalQuantile;
    const double z3 = z * z * z;
    const double z5 = z3 * z * z;
    const double z7 = z5 * z * z;
    const auto n = static_cast<double>(freedom);
    return z + (z3 + z) / (4.0 * n) + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * n * n)
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * n * n * n);
}

ErrorEstimate estimateErrors(std::span<const SampleError> samples)
{
    if (samples.empty()) {
        throw Error(ErrorCode::InvalidArgument, "there are no samples to judge an error by");
    }
    const double t = studentQuantile(static_cast<std::int64_t>(samples.size()) - 1);
    return {static_cast<std::int64_t>(samples.size()), klOf(samples, t), sqnrOf(samples, t),
        agreementOf(samples, t)};
}

} // namespace qs
