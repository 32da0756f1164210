#pragma once

#include <cstdint>
#include <span>

namespace qs {

/// Error of the logits on one sample; of a language model over its positions.
struct SampleError
{
    double klNats = 0.0; ///< mean over the rows of the sample
    double agreement = 1.0; ///< share of rows with FP32's top-1, in [0, 1]
    double signal = 0.0; ///< sum of the squared FP32 logits
    double noise = 0.0; ///< sum of the squared differences
};

/// A figure as some samples let one judge it: its value on them, and where it lies for all data of this kind
/// with 95 % confidence.
struct Interval
{
    double value = 0.0;
    double lower = 0.0;
    double upper = 0.0;
};

/// Error of a plan judged by a probe set.
struct ErrorEstimate
{
    std::int64_t samples = 0;
    Interval klNats;
    Interval sqnrDb; ///< of all logits together; +inf when they are equal
    Interval agreementPercent;
};

/// The values are those Metrics would have. Intervals: Student's t of the mean for KL (never below 0); the
/// ratio estimator's linearised variance, on the logarithm, for SQNR (Cochran, Sampling Techniques, 6.4);
/// Wilson's score interval for agreement where every sample agrees or not, else Student's t. Of fewer than
/// two samples nothing is known: 0 or -inf to +inf, 0 to 100 %. Throws Error(InvalidArgument) without
/// samples.
[[nodiscard]] ErrorEstimate estimateErrors(std::span<const SampleError> samples);

/// Quantile 0.975 of Student's t with `freedom` >= 1 degrees of freedom, to 1e-3 of its value.
[[nodiscard]] double studentQuantile(std::int64_t freedom);

} // namespace qs
