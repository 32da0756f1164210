#include "core/methods/weighted_source.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/quant/fake_quantizer.h"

#include <algorithm>

namespace qs {

namespace {

constexpr std::int64_t kMostValues = 1 << 20;
constexpr std::int64_t kRowGrain = 64;

} // namespace

WeightedSource::WeightedSource(const ActivationView& view, std::vector<float> weights)
    : m_weights(std::move(weights))
{
    const std::int64_t rows = view.batch * view.heads * view.rows;
    const std::int64_t stride = (view.elementCount() + kMostValues - 1) / kMostValues;
    m_minimum = static_cast<double>(*view.row(0, 0, 0));
    m_maximum = m_minimum;
    double sum = 0.0;
    for (std::int64_t row = 0; row < rows; ++row) {
        const float* values
            = view.row(row / (view.heads * view.rows), row / view.rows % view.heads, row % view.rows);
        float low = values[0];
        float high = values[0];
        double part = 0.0;
        for (std::int64_t i = 0; i < view.width; ++i) {
            low = values[i] < low ? values[i] : low;
            high = values[i] > high ? values[i] : high;
            part += static_cast<double>(values[i]);
        }
        m_minimum = std::min(m_minimum, static_cast<double>(low));
        m_maximum = std::max(m_maximum, static_cast<double>(high));
        sum += part;
        if (row % stride == 0) {
            m_values.insert(m_values.end(), values, values + view.width);
        }
    }
    m_mean = std::clamp(sum / static_cast<double>(view.elementCount()), m_minimum, m_maximum);
}

double WeightedSource::quantile(double) const
{
    throw Error(ErrorCode::Internal, "weighted values have no quantiles");
}

double WeightedSource::squaredError(const QuantParams& params) const
{
    const FakeQuantizer quantizer(params);
    const auto width = static_cast<std::int64_t>(m_weights.size());
    const std::int64_t rows = static_cast<std::int64_t>(m_values.size()) / width;
    std::vector<double> sums(static_cast<std::size_t>((rows + kRowGrain - 1) / kRowGrain), 0.0);
    parallelFor(rows, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
        std::vector<float> quantized(m_weights.size());
        std::vector<float> errors(m_weights.size(), 0.0F); // of at most kRowGrain rows
        for (std::int64_t row = begin; row < end; ++row) {
            const float* values = m_values.data() + row * width;
            quantizer.transformRow(0, {values, m_weights.size()}, quantized.data());
            for (std::size_t c = 0; c < m_weights.size(); ++c) {
                const float difference = values[c] - quantized[c];
                errors[c] += difference * difference;
            }
        }
        double sum = 0.0;
        for (std::size_t c = 0; c < m_weights.size(); ++c) {
            sum += static_cast<double>(errors[c]) * static_cast<double>(m_weights[c]);
        }
        sums[static_cast<std::size_t>(begin / kRowGrain)] = sum;
    });
    double total = 0.0;
    for (const double sum : sums) {
        total += sum;
    }
    return total;
}

std::vector<double> WeightedSource::histogram(const ValueAxis& axis) const
{
    double mean = 0.0;
    for (const float weight : m_weights) {
        mean += static_cast<double>(weight) / static_cast<double>(m_weights.size());
    }
    AxisCounts counts(axis);
    for (std::size_t i = 0; i < m_values.size() && mean > 0.0; ++i) {
        counts.add(
            static_cast<double>(m_values[i]), static_cast<double>(m_weights[i % m_weights.size()]) / mean);
    }
    return counts.counts();
}

} // namespace qs
