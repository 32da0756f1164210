#include "core/eval/metric_sums.h"

#include "core/base/error.h"
#include "core/base/parallel.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

/// What one row adds to the sums.
struct RowFigures
{
    bool agrees = false;
    bool hasTarget = false;
    std::int64_t rank = 0; ///< of the target
    double kl = 0.0;
    double nll = 0.0;
    double signal = 0.0;
    double noise = 0.0;
};

/// Logarithm of the sum of exponentials of a row: logit minus this is the logarithm of its probability.
double logSumOfExponentials(std::span<const float> logits)
{
    const double top = *std::ranges::max_element(logits);
    double sum = 0.0;
    for (const float value : logits) {
        sum += std::exp(static_cast<double>(value) - top);
    }
    return top + std::log(sum);
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

RowFigures compared(
    std::span<const float> actual, std::span<const float> expected, const std::optional<int>& target)
{
    RowFigures row;
    row.agrees = topClass(actual) == topClass(expected);
    const double actualShift = logSumOfExponentials(actual);
    const double expectedShift = logSumOfExponentials(expected);
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const double p = expected[i];
        const double q = actual[i];
        const double logP = p - expectedShift;
        row.kl += std::exp(logP) * (logP - (q - actualShift));
        row.signal += p * p;
        row.noise += (p - q) * (p - q);
    }
    row.kl = std::max(0.0, row.kl);
    if (target && *target >= 0 && static_cast<std::size_t>(*target) < actual.size()) {
        const auto index = static_cast<std::size_t>(*target);
        row.hasTarget = true;
        row.rank = rankOf(actual, index);
        row.nll = actualShift - static_cast<double>(actual[index]);
    }
    return row;
}

} // namespace

MetricSums& MetricSums::operator+=(const MetricSums& other)
{
    samples += other.samples;
    rows += other.rows;
    targets += other.targets;
    top1 += other.top1;
    top5 += other.top5;
    agreeing += other.agreeing;
    kl += other.kl;
    nll += other.nll;
    signal += other.signal;
    noise += other.noise;
    return *this;
}

Metrics MetricSums::metrics(ModelTask task) const
{
    if (rows == 0) {
        throw Error(ErrorCode::InvalidArgument, "there are no samples to evaluate");
    }
    Metrics metrics;
    metrics.samples = samples;
    if (targets > 0) {
        const auto known = static_cast<double>(targets);
        metrics.top1Percent = 100.0 * static_cast<double>(top1) / known;
        metrics.top5Percent = 100.0 * static_cast<double>(top5) / known;
        if (task == ModelTask::LanguageModel) {
            metrics.tokens = targets;
            metrics.nllNats = nll / known;
        }
    }
    metrics.agreementPercent = 100.0 * static_cast<double>(agreeing) / static_cast<double>(rows);
    metrics.klNats = kl / static_cast<double>(rows);
    metrics.logitsSqnrDb = sqnrDbOf(signal, noise);
    return metrics;
}

std::vector<MetricSums> metricSums(
    const Tensor& logits, const Tensor& reference, std::span<const std::optional<int>> targets)
{
    const Shape& shape = logits.shape();
    if (shape != reference.shape() || shape.rank() == 0) {
        throw Error(ErrorCode::ShapeMismatch,
            "logits " + shape.text() + " cannot be compared with " + reference.shape().text());
    }
    if (shape.elementCount() == 0) {
        throw Error(ErrorCode::InvalidArgument, "there are no samples to evaluate");
    }
    const auto classes = static_cast<std::size_t>(shape.rank() == 1 ? 1 : shape[shape.rank() - 1]);
    const std::span<const float> actual = logits.data<float>();
    const std::span<const float> expected = reference.data<float>();
    const std::size_t count = actual.size() / classes;
    if (!targets.empty() && targets.size() != count) {
        throw Error(ErrorCode::ShapeMismatch,
            "there are " + std::to_string(targets.size()) + " labels for " + std::to_string(count)
                + " rows of logits");
    }
    std::vector<RowFigures> rows(count);
    parallelFor(static_cast<std::int64_t>(count), 4, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
            rows[i] = compared(actual.subspan(i * classes, classes), expected.subspan(i * classes, classes),
                targets.empty() ? std::nullopt : targets[i]);
        }
    });
    std::vector<MetricSums> sums(static_cast<std::size_t>(shape[0]));
    for (std::size_t i = 0; i < count; ++i) { // in order: the sums do not depend on batches or threads
        const RowFigures& row = rows[i];
        MetricSums& sum = sums[i / (count / sums.size())];
        sum.samples = 1;
        ++sum.rows;
        sum.agreeing += row.agrees ? 1 : 0;
        sum.kl += row.kl;
        sum.signal += row.signal;
        sum.noise += row.noise;
        if (row.hasTarget) {
            ++sum.targets;
            sum.top1 += row.rank < 1 ? 1 : 0;
            sum.top5 += row.rank < 5 ? 1 : 0;
            sum.nll += row.nll;
        }
    }
    return sums;
}

} // namespace qs
