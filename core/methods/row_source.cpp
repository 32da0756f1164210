#include "core/methods/row_source.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/methods/tail_selection.h"
#include "core/quant/fake_quantizer.h"
#include "core/quant/float_quantile.h"
#include "core/quant/row_kernels.h"

#include <algorithm>
#include <cmath>
#include <mutex>

namespace qs {

namespace {

constexpr double kTail = 0.001;
constexpr std::int64_t kRowGrain = 256;

std::int64_t rowCount(const ActivationView& view)
{
    return view.batch * view.heads * view.rows;
}

/// Row number `index` of all, samples outermost.
const float* rowAt(const ActivationView& view, std::int64_t index)
{
    return view.row(index / (view.heads * view.rows), index / view.rows % view.heads, index % view.rows);
}

} // namespace

template<typename Body>
double RowSource::sumOverRows(const Body& body) const
{
    const std::int64_t rows = rowCount(m_view);
    std::vector<double> sums(static_cast<std::size_t>((rows + kRowGrain - 1) / kRowGrain), 0.0);
    parallelFor(rows, kRowGrain, [&](std::int64_t begin, std::int64_t end) {
        double sum = 0.0;
        for (std::int64_t row = begin; row < end; ++row) {
            sum += body(std::span(rowAt(m_view, row), static_cast<std::size_t>(m_view.width)));
        }
        sums[static_cast<std::size_t>(begin / kRowGrain)] = sum;
    });
    double total = 0.0;
    for (const double sum : sums) {
        total += sum;
    }
    return total;
}

RowSource::RowSource(const ActivationView& view, const std::string& name)
    : m_view(view)
{
    const auto count = static_cast<double>(view.elementCount());
    if (view.elementCount() == 0) {
        throw Error(ErrorCode::InvalidArgument, name + " has no values to calibrate on");
    }
    const double sum = sumOverRows([](std::span<const float> row) {
        double part = 0.0;
        for (const float x : row) {
            part += static_cast<double>(x);
        }
        return part;
    });
    if (!std::isfinite(sum)) {
        throw Error(ErrorCode::InvalidArgument, name + " has values that are not finite");
    }
    const std::size_t tail = static_cast<std::size_t>(kTail * count) + 2;
    parallelFor(2, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t side = begin; side < end; ++side) {
            TailSelection selection(
                side == 0 ? TailSelection::Side::Lowest : TailSelection::Side::Highest, tail);
            const std::int64_t rows = rowCount(view);
            for (std::int64_t row = 0; row < rows; ++row) {
                selection.add({rowAt(view, row), static_cast<std::size_t>(view.width)});
            }
            (side == 0 ? m_lowest : m_highest) = selection.take();
        }
    });
    m_mean = std::clamp(sum / count, minimum(), maximum());
}

double RowSource::minimum() const
{
    return m_lowest.front();
}

double RowSource::maximum() const
{
    return m_highest.front();
}

double RowSource::quantile(double p) const
{
    const auto count = static_cast<std::size_t>(m_view.elementCount());
    return static_cast<double>(floatQuantile(count, p, [&](std::size_t rank) {
        return rank < m_lowest.size() ? m_lowest[rank]
                                      : m_highest[std::min(count - 1 - rank, m_highest.size() - 1)];
    }));
}

double RowSource::squaredError(const QuantParams& params) const
{
    if (params.kind == QuantizerKind::Uniform && params.zeroPointFractions.empty()) {
        const UniformScale scale = uniformScale(params, 0);
        return sumOverRows([&](std::span<const float> row) {
            return rowKernels().uniformError(row.data(), row.size(), scale);
        });
    }
    const FakeQuantizer quantizer(params);
    return sumOverRows([&](std::span<const float> row) {
        thread_local std::vector<float> quantized;
        quantized.resize(row.size());
        quantizer.transformRow(0, row, quantized.data());
        float part = 0.0F; // a row of a few hundred values at most
        double sum = 0.0;
        for (std::size_t first = 0; first < row.size(); first += 64) {
            part = 0.0F;
            const std::size_t last = std::min(row.size(), first + 64);
            for (std::size_t i = first; i < last; ++i) {
                const float difference = row[i] - quantized[i];
                part += difference * difference;
            }
            sum += static_cast<double>(part);
        }
        return sum;
    });
}

std::vector<double> RowSource::histogram(const ValueAxis& axis) const
{
    AxisCounts counts(axis);
    std::mutex mutex;
    parallelFor(rowCount(m_view), kRowGrain, [&](std::int64_t begin, std::int64_t end) {
        AxisCounts part(axis);
        for (std::int64_t row = begin; row < end; ++row) {
            for (const float x : std::span(rowAt(m_view, row), static_cast<std::size_t>(m_view.width))) {
                part.add(static_cast<double>(x));
            }
        }
        const std::lock_guard lock(mutex);
        counts.add(part); // whole numbers: the order makes no difference
    });
    return counts.counts();
}

std::size_t RowSource::resolution() const
{
    return static_cast<std::size_t>(m_view.elementCount()) / kValuesPerPart;
}

ActivationView viewOf(const std::vector<float>& values)
{
    const auto size = static_cast<std::int64_t>(values.size());
    return {values.data(), 1, 1, 1, size, size, size, size};
}

std::vector<std::vector<float>> columnsOf(const ActivationView& view)
{
    const std::int64_t rows = rowCount(view);
    std::vector<std::vector<float>> columns(
        static_cast<std::size_t>(view.width), std::vector<float>(static_cast<std::size_t>(rows)));
    parallelFor(view.width, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = 0; row < rows; ++row) {
            const float* values = rowAt(view, row);
            for (std::int64_t c = begin; c < end; ++c) {
                columns[static_cast<std::size_t>(c)][static_cast<std::size_t>(row)] = values[c];
            }
        }
    });
    return columns;
}

std::vector<std::vector<float>> headsOf(const ActivationView& view)
{
    std::vector<std::vector<float>> heads(static_cast<std::size_t>(view.heads));
    for (std::int64_t head = 0; head < view.heads; ++head) {
        std::vector<float>& values = heads[static_cast<std::size_t>(head)];
        values.reserve(static_cast<std::size_t>(view.batch * view.rows * view.width));
        for (std::int64_t sample = 0; sample < view.batch; ++sample) {
            for (std::int64_t row = 0; row < view.rows; ++row) {
                const float* first = view.row(sample, head, row);
                values.insert(values.end(), first, first + view.width);
            }
        }
    }
    return heads;
}

} // namespace qs
