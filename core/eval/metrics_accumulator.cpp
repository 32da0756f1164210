#include "core/eval/metrics_accumulator.h"

#include "core/base/error.h"
#include "core/base/parallel.h"

#include <algorithm>
#include <cmath>
#include <limits>

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

SampleError errorOf(std::span<const RowFigures> rows)
{
    SampleError error {0.0, 0.0, 0.0, 0.0};
    for (const RowFigures& row : rows) {
        error.klNats += row.kl;
        error.agreement += row.agrees ? 1.0 : 0.0;
        error.signal += row.signal;
        error.noise += row.noise;
    }
    error.klNats /= static_cast<double>(rows.size());
    error.agreement /= static_cast<double>(rows.size());
    return error;
}

} // namespace

MetricsAccumulator::MetricsAccumulator(ModelTask task)
    : m_task(task)
{
}

void MetricsAccumulator::add(
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
    m_samples += shape[0];
    m_rows += static_cast<std::int64_t>(count);
    const std::size_t perSample = count / static_cast<std::size_t>(shape[0]);
    for (std::size_t first = 0; first < count; first += perSample) {
        m_sampleErrors.push_back(errorOf(std::span(rows).subspan(first, perSample)));
    }
    for (const RowFigures& row : rows) { // in order: the sums do not depend on batches or threads
        m_agreeing += row.agrees ? 1 : 0;
        m_kl += row.kl;
        m_signal += row.signal;
        m_noise += row.noise;
        if (row.hasTarget) {
            ++m_targets;
            m_top1 += row.rank < 1 ? 1 : 0;
            m_top5 += row.rank < 5 ? 1 : 0;
            m_nll += row.nll;
        }
    }
}

Metrics MetricsAccumulator::result() const
{
    if (m_rows == 0) {
        throw Error(ErrorCode::InvalidArgument, "there are no samples to evaluate");
    }
    const auto rows = static_cast<double>(m_rows);
    Metrics metrics;
    metrics.samples = m_samples;
    if (m_targets > 0) {
        const auto targets = static_cast<double>(m_targets);
        metrics.top1Percent = 100.0 * static_cast<double>(m_top1) / targets;
        metrics.top5Percent = 100.0 * static_cast<double>(m_top5) / targets;
        if (m_task == ModelTask::LanguageModel) {
            metrics.tokens = m_targets;
            metrics.nllNats = m_nll / targets;
        }
    }
    metrics.agreementPercent = 100.0 * static_cast<double>(m_agreeing) / rows;
    metrics.klNats = m_kl / rows;
    metrics.logitsSqnrDb = sqnrDbOf(m_signal, m_noise);
    return metrics;
}

std::vector<std::optional<int>> nextTokens(const Tensor& ids)
{
    if (ids.shape().rank() != 2 || (ids.dtype() != DType::I64 && ids.dtype() != DType::I32)) {
        throw Error(ErrorCode::ShapeMismatch,
            "token ids of shape " + ids.shape().text() + " and type " + std::string(nameOf(ids.dtype()))
                + " are not integers [samples, tokens]");
    }
    const auto length = static_cast<std::size_t>(ids.shape()[1]);
    std::vector<std::optional<int>> targets(static_cast<std::size_t>(ids.elementCount()));
    for (std::size_t i = 0; i + 1 < targets.size(); ++i) {
        if (i % length + 1 < length) {
            const std::int64_t next = ids.dtype() == DType::I64 ? ids.data<std::int64_t>()[i + 1]
                                                                : ids.data<std::int32_t>()[i + 1];
            targets[i]
                = static_cast<int>(std::clamp<std::int64_t>(next, -1, std::numeric_limits<int>::max()));
        }
    }
    return targets;
}

} // namespace qs
