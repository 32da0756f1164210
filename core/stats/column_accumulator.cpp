#include "core/stats/column_accumulator.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace qs {

namespace {

/// Rows taken at once; with the tables they stay in the first cache between finding their range and binning
/// them.
constexpr std::int64_t kSliceRows = 128;

struct alignas(64) PackedRows
{
    float values[kSliceRows * kMomentLanes];
};

} // namespace

ColumnAccumulator::ColumnAccumulator(std::int64_t first, std::int64_t columns, std::int64_t bins)
    : m_first(first)
    , m_columns(columns)
    , m_bins(static_cast<std::size_t>(columns), RingBins(bins, 1))
    , m_tables()
{
}

void ColumnAccumulator::observe(const ActivationView& view, std::span<ValueRange> ranges)
{
    m_tables.resize(static_cast<std::size_t>(kMomentLanes) * tableBegin(1)); // on the thread that uses them
    for (std::int64_t sample = 0; sample < view.batch; ++sample) {
        for (std::int64_t head = 0; head < view.heads; ++head) {
            for (std::int64_t row = 0; row < view.rows; row += kSliceRows) {
                const std::int64_t rows = std::min(kSliceRows, view.rows - row);
                observeRows(view.row(sample, head, row) + m_first, view.rowStride, rows,
                    ranges[static_cast<std::size_t>(sample)]);
            }
        }
    }
}

void ColumnAccumulator::observeRows(
    const float* values, std::int64_t stride, std::int64_t rows, ValueRange& range)
{
    if (rows > m_room) {
        makeRoom();
    }
    m_room -= rows;
    PackedRows packed;
    PackedRows padded;
    if (m_columns < kMomentLanes) {
        for (std::int64_t row = 0; row < rows; ++row) {
            float* target = padded.values + row * kMomentLanes;
            std::copy_n(values + row * stride, m_columns, target);
            std::fill(target + m_columns, target + kMomentLanes, 0.0F);
        }
        values = padded.values;
        stride = kMomentLanes;
    }
    const MomentKernels& kernels = momentKernels();
    std::array<float, kMomentLanes> low;
    std::array<float, kMomentLanes> high;
    if (!kernels.columnRange(values, stride, rows, packed.values, low.data(), high.data())) {
        observeNonFinite(packed.values, rows, range);
        return;
    }
    include(low.data(), high.data(), range);
    std::array<float, kMomentLanes> scales {};
    for (std::size_t lane = 0; lane < m_bins.size(); ++lane) {
        scales[lane] = m_bins[lane].scale();
    }
    kernels.binColumns(packed.values, rows, scales.data(), m_bins.front().mask(), m_tables.data());
}

void ColumnAccumulator::makeRoom()
{
    std::int64_t fullest = 0;
    for (std::size_t lane = 0; lane < m_bins.size(); ++lane) {
        MomentPacket* table = m_tables.data() + tableBegin(lane);
        const std::int64_t bound = boundOn({table, tableBegin(1)});
        if (bound > kMostInPacket / 2) {
            m_bins[lane].empty(table);
        } else {
            fullest = std::max(fullest, bound);
        }
    }
    m_room = kMostInPacket - fullest;
}

std::size_t ColumnAccumulator::tableBegin(std::size_t lane) const
{
    return lane * static_cast<std::size_t>(m_bins.front().mask() + 1);
}

void ColumnAccumulator::include(const float* low, const float* high, ValueRange& range)
{
    for (std::size_t lane = 0; lane < m_bins.size(); ++lane) {
        range.include(low[lane], high[lane]);
        m_bins[lane].include(low[lane], high[lane], m_tables.data() + tableBegin(lane));
    }
}

void ColumnAccumulator::observeNonFinite(const float* packed, std::int64_t rows, ValueRange& range)
{
    for (std::size_t lane = 0; lane < m_bins.size(); ++lane) {
        std::array<float, kSliceRows> finite;
        std::size_t count = 0;
        for (std::int64_t row = 0; row < rows; ++row) {
            const float value = packed[row * kMomentLanes + static_cast<std::int64_t>(lane)];
            if (std::isfinite(value)) {
                finite[count++] = value;
            }
        }
        m_nonFinite[lane] += static_cast<std::uint64_t>(rows) - count;
        if (count == 0) {
            continue;
        }
        const auto [low, high] = std::minmax_element(finite.begin(), finite.begin() + count);
        RingBins& bins = m_bins[lane];
        MomentPacket* table = m_tables.data() + tableBegin(lane);
        bins.include(*low, *high, table);
        range.include(*low, *high);
        for (std::size_t i = 0; i < count; ++i) {
            binValue(finite[i], bins.scale(), bins.mask(), table);
        }
    }
}

void ColumnAccumulator::finish(std::span<GroupStatistics> groups) const
{
    for (std::size_t lane = 0; lane < m_bins.size(); ++lane) {
        GroupStatistics& group = groups[static_cast<std::size_t>(m_first) + lane];
        group = m_bins[lane].statistics(m_tables.data() + tableBegin(lane));
        group.nonFinite = m_nonFinite[lane];
    }
}

} // namespace qs
