#include "core/stats/ring_bins.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <span>

namespace qs {

namespace {

/// addCoarsened() for one table of packets, in place.
void coarsen(std::span<MomentPacket> table, const ValueGrid& from, int steps)
{
    std::vector<BinMoments> before(table.size());
    std::vector<BinMoments> after(table.size());
    for (std::size_t i = 0; i < table.size(); ++i) {
        before[i] = {double {table[i].count}, double {table[i].sum}, double {table[i].squares}};
    }
    addCoarsened(after, before, from, steps);
    for (std::size_t i = 0; i < table.size(); ++i) {
        table[i] = {static_cast<float>(after[i].count), static_cast<float>(after[i].sum),
            static_cast<float>(after[i].squares), 0.0F};
    }
}

} // namespace

RingBins::RingBins(std::int64_t bins, std::int64_t tables)
    : m_bins(bins)
    , m_tables(tables)
{
    assert(bins >= 2 && (bins & (bins - 1)) == 0);
}

void RingBins::include(float low, float high, MomentPacket* packets)
{
    if (m_any && low >= m_minimum && high <= m_maximum) {
        return;
    }
    // Adding +0 makes a negative zero positive, so that the sign of a bound does not depend on the
    // instruction set.
    m_minimum = (m_any ? std::min(low, m_minimum) : low) + 0.0F;
    m_maximum = (m_any ? std::max(high, m_maximum) : high) + 0.0F;
    const ValueGrid grid = gridFor(m_minimum, m_maximum, m_bins);
    if (m_any && grid.exponent != m_grid.exponent) {
        widen(grid, packets);
    }
    m_grid = grid;
    m_scale = static_cast<float>(std::ldexp(1.0, -grid.exponent));
    m_any = true;
}

void RingBins::widen(const ValueGrid& grid, MomentPacket* packets)
{
    const int steps = grid.exponent - m_grid.exponent;
    if (!m_slots.empty()) {
        std::vector<BinMoments> wider(m_slots.size());
        addCoarsened(wider, m_slots, m_grid, steps);
        m_slots = std::move(wider);
    }
    for (std::int64_t table = 0; table < m_tables; ++table) {
        coarsen({packets + table * m_bins, static_cast<std::size_t>(m_bins)}, m_grid, steps);
    }
}

void RingBins::empty(MomentPacket* packets)
{
    if (!m_any) {
        return;
    }
    m_slots.resize(static_cast<std::size_t>(m_bins));
    for (std::int64_t table = 0; table < m_tables; ++table) {
        for (std::int64_t bin = m_grid.first; bin <= m_grid.last; ++bin) {
            MomentPacket& packet = packets[table * m_bins + (bin & (m_bins - 1))];
            BinMoments& slot = m_slots[static_cast<std::size_t>(bin & (m_bins - 1))];
            slot.count += double {packet.count};
            slot.sum += double {packet.sum};
            slot.squares += double {packet.squares};
            packet = {};
        }
    }
}

BinMoments RingBins::slot(std::int64_t bin, const MomentPacket* packets) const
{
    const std::int64_t index = bin & (m_bins - 1);
    BinMoments sum = m_slots.empty() ? BinMoments {} : m_slots[static_cast<std::size_t>(index)];
    for (std::int64_t table = 0; packets != nullptr && table < m_tables; ++table) {
        const MomentPacket& packet = packets[table * m_bins + index];
        sum.count += double {packet.count};
        sum.sum += double {packet.sum};
        sum.squares += double {packet.squares};
    }
    return sum;
}

void RingBins::add(const RingBins& other, const MomentPacket* packets)
{
    if (!other.m_any) {
        return;
    }
    m_slots.resize(static_cast<std::size_t>(m_bins));
    include(other.m_minimum, other.m_maximum, nullptr);
    std::vector<BinMoments> slots(static_cast<std::size_t>(m_bins));
    for (std::int64_t bin = other.m_grid.first; bin <= other.m_grid.last; ++bin) {
        slots[static_cast<std::size_t>(bin & (m_bins - 1))] = other.slot(bin, packets);
    }
    addCoarsened(m_slots, slots, other.m_grid, m_grid.exponent - other.m_grid.exponent);
}

GroupStatistics RingBins::statistics(const MomentPacket* packets) const
{
    GroupStatistics group;
    if (!m_any) {
        return group;
    }
    group.minimum = m_minimum;
    group.maximum = m_maximum;
    Histogram& histogram = group.histogram;
    histogram.width = m_grid.width();
    histogram.firstBin = m_grid.first;
    const auto bins = static_cast<std::size_t>(m_grid.last - m_grid.first + 1);
    histogram.counts.resize(bins);
    histogram.sums.resize(bins);
    histogram.squares.resize(bins);
    for (std::size_t i = 0; i < bins; ++i) {
        const BinMoments moments = slot(m_grid.first + static_cast<std::int64_t>(i), packets);
        setBin(histogram, i, static_cast<std::uint64_t>(moments.count), static_cast<float>(moments.sum),
            static_cast<float>(moments.squares));
        group.count += histogram.counts[i];
        group.sum += histogram.sums[i];
        group.sumOfSquares += histogram.squares[i];
    }
    return group;
}

} // namespace qs
