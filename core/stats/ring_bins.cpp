#include "core/stats/ring_bins.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace qs {

RingBins::RingBins(std::int64_t bins)
    : m_slots(static_cast<std::size_t>(bins))
{
    assert(bins >= 2 && (bins & (bins - 1)) == 0);
}

bool RingBins::needsWiderBins(float low, float high) const
{
    if (!m_any || (low >= m_minimum && high <= m_maximum)) {
        return false;
    }
    const auto bins = static_cast<std::int64_t>(m_slots.size());
    return gridFor(std::min(low, m_minimum), std::max(high, m_maximum), bins).exponent != m_grid.exponent;
}

void RingBins::include(float low, float high)
{
    if (m_any && low >= m_minimum && high <= m_maximum) {
        return;
    }
    // Adding +0 makes a negative zero positive, so that the sign of a bound does not depend on the
    // instruction set.
    m_minimum = (m_any ? std::min(low, m_minimum) : low) + 0.0F;
    m_maximum = (m_any ? std::max(high, m_maximum) : high) + 0.0F;
    const ValueGrid grid = gridFor(m_minimum, m_maximum, static_cast<std::int64_t>(m_slots.size()));
    if (m_any && grid.exponent != m_grid.exponent) {
        std::vector<BinMoments> wider(m_slots.size());
        addCoarsened(wider, m_slots, m_grid, grid.exponent - m_grid.exponent);
        m_slots = std::move(wider);
    }
    m_grid = grid;
    m_scale = static_cast<float>(std::ldexp(1.0, -grid.exponent));
    m_any = true;
}

void RingBins::empty(MomentPacket* table)
{
    if (!m_any) {
        return;
    }
    const auto slotMask = static_cast<std::int64_t>(mask());
    for (std::int64_t bin = m_grid.first; bin <= m_grid.last; ++bin) {
        MomentPacket& packet = table[bin & slotMask];
        BinMoments& slot = m_slots[static_cast<std::size_t>(bin & slotMask)];
        slot.count += double {packet.count};
        slot.sum += double {packet.sum};
        slot.squares += double {packet.squares};
        packet = {};
    }
}

void RingBins::add(const RingBins& other)
{
    if (other.m_any) {
        include(other.m_minimum, other.m_maximum);
        addCoarsened(m_slots, other.m_slots, other.m_grid, m_grid.exponent - other.m_grid.exponent);
    }
}

GroupStatistics RingBins::statistics() const
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
        const std::int64_t bin = m_grid.first + static_cast<std::int64_t>(i);
        const BinMoments& slot = m_slots[static_cast<std::size_t>(bin & static_cast<std::int64_t>(mask()))];
        setBin(histogram, i, static_cast<std::uint64_t>(slot.count), static_cast<float>(slot.sum),
            static_cast<float>(slot.squares));
        group.count += histogram.counts[i];
        group.sum += histogram.sums[i];
        group.sumOfSquares += histogram.squares[i];
    }
    return group;
}

} // namespace qs
