#include "core/eval/metrics.h"

#include "core/base/error.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

/// Natural logarithms of the softmax of one row, in double.
void logSoftmax(std::span<const float> logits, std::vector<double>& out)
{
    const double top = *std::ranges::max_element(logits);
    double sum = 0.0;
    for (const float value : logits) {
        sum += std::exp(static_cast<double>(value) - top);
    }
    const double shift = top + std::log(sum);
    out.resize(logits.size());
    for (std::size_t i = 0; i < logits.size(); ++i) {
        out[i] = static_cast<double>(logits[i]) - shift;
    }
}

/// KL(p || q) in nats from the two rows' logits.
double klDivergence(std::span<const float> p, std::span<const float> q)
{
    std::vector<double> logP;
    std::vector<double> logQ;
    logSoftmax(p, logP);
    logSoftmax(q, logQ);
    double sum = 0.0;
    for (std::size_t i = 0; i < logP.size(); ++i) {
        sum += std::exp(logP[i]) * (logP[i] - logQ[i]);
    }
    return std::max(0.0, sum);
}

/// Number of classes that rank before `label`: larger logits, and equal ones of a lower index.
std::int64_t rankOf(std::span<const float> logits, std::size_t label)
{
    std::int64_t rank = 0;
    for (std::size_t i = 0; i < logits.size(); ++i) {
        if (logits[i] > logits[label] || (logits[i] == logits[label] && i < label)) {
            ++rank;
        }
    }
    return rank;
}

} // namespace

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
    if (logits.shape() != reference.shape() || logits.shape().rank() != 2) {
        throw Error(ErrorCode::ShapeMismatch,
            "logits " + logits.shape().text() + " cannot be compared with " + reference.shape().text());
    }
    const std::int64_t samples = logits.shape()[0];
    const auto classes = static_cast<std::size_t>(logits.shape()[1]);
    if (samples == 0 || classes == 0) {
        throw Error(ErrorCode::InvalidArgument, "there are no samples to evaluate");
    }
    const std::span<const float> actual = logits.data<float>();
    const std::span<const float> expected = reference.data<float>();
    Metrics metrics;
    metrics.samples = samples;
    std::int64_t labelled = 0;
    std::int64_t top1 = 0;
    std::int64_t top5 = 0;
    std::int64_t agreeing = 0;
    double kl = 0.0;
    for (std::size_t sample = 0; sample < static_cast<std::size_t>(samples); ++sample) {
        const auto row = actual.subspan(sample * classes, classes);
        const auto referenceRow = expected.subspan(sample * classes, classes);
        agreeing += topClass(row) == topClass(referenceRow) ? 1 : 0;
        kl += klDivergence(referenceRow, row);
        if (sample < labels.size() && labels[sample] && *labels[sample] >= 0
            && static_cast<std::size_t>(*labels[sample]) < classes) {
            const std::int64_t rank = rankOf(row, static_cast<std::size_t>(*labels[sample]));
            ++labelled;
            top1 += rank < 1 ? 1 : 0;
            top5 += rank < 5 ? 1 : 0;
        }
    }
    if (labelled > 0) {
        metrics.top1Percent = 100.0 * static_cast<double>(top1) / static_cast<double>(labelled);
        metrics.top5Percent = 100.0 * static_cast<double>(top5) / static_cast<double>(labelled);
    }
    metrics.agreementPercent = 100.0 * static_cast<double>(agreeing) / static_cast<double>(samples);
    metrics.klNats = kl / static_cast<double>(samples);
    metrics.logitsSqnrDb = sqnrDb(expected, actual);
    return metrics;
}

} // namespace qs
