#include "core/eval/metrics.h"

#include "core/base/error.h"
#include "core/eval/metrics_accumulator.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

std::size_t topClass(std::span<const float> logits)
{
    return static_cast<std::size_t>(std::ranges::max_element(logits) - logits.begin());
}

double sqnrDb(std::span<const float> reference, std::span<const float> actual)
{
    if (reference.size() != actual.size()) {
        throw Error(ErrorCode::ShapeMismatch,
            "cannot compare " + std::to_string(actual.size()) + " values with "
                + std::to_string(reference.size()));
    }
    double signal = 0.0;
    double noise = 0.0;
    for (std::size_t i = 0; i < reference.size(); ++i) {
        const double expected = reference[i];
        const double difference = expected - static_cast<double>(actual[i]);
        signal += expected * expected;
        noise += difference * difference;
    }
    return sqnrDbOf(signal, noise);
}

double sqnrDbOf(double signal, double noise)
{
    if (noise == 0.0) {
        return std::numeric_limits<double>::infinity();
    }
    return signal == 0.0 ? 0.0 : 10.0 * std::log10(signal / noise);
}

Metrics computeMetrics(
    const Tensor& logits, const Tensor& reference, const std::vector<std::optional<int>>& labels)
{
    if (logits.shape().rank() != 2) {
        throw Error(
            ErrorCode::ShapeMismatch, "logits " + logits.shape().text() + " are not [samples, classes]");
    }
    MetricsAccumulator accumulator(ModelTask::Classification);
    accumulator.add(logits, reference, labels);
    return accumulator.result();
}

} // namespace qs
