#include "core/eval/metrics_accumulator.h"

#include "core/base/error.h"

#include <algorithm>
#include <limits>

namespace qs {

MetricsAccumulator::MetricsAccumulator(ModelTask task)
    : m_task(task)
{
}

void MetricsAccumulator::add(
    const Tensor& logits, const Tensor& reference, std::span<const std::optional<int>> targets)
{
    for (const MetricSums& sample : metricSums(logits, reference, targets)) {
        m_sums += sample;
        const auto rows = static_cast<double>(sample.rows);
        m_sampleErrors.push_back(
            {sample.kl / rows, static_cast<double>(sample.agreeing) / rows, sample.signal, sample.noise});
    }
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
