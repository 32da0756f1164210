#include "core/stats/ring_bins.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <span>

namespace qs {

namespace {

constexpr double kPlaceWidth = 1.0 / kPlaces; // of a bin

} // namespace

void addPacket(BinMoments& slot, MomentPacket packet)
{
    slot.count += static_cast<double>(countIn(packet));
    slot.sum += static_cast<double>(placesIn(packet)) * kPlaceWidth;
    slot.squares += static_cast<double>(squaresIn(packet)) * (kPlaceWidth * kPlaceWidth);
}

RingBins::RingBins(std::int64_t bins, std::int64_t tables)
    : m_bins(bins)
    , m_tables(tables)
{
    assert(bins >= 2 && (bins & (bins - 1)) == 0);
}

bool RingBins::fits(float low, float high) const
{
    return m_any
        && ((low >= m_minimum && high <= m_maximum)
            || gridFor(std::min(low, m_minimum), std::max(high, m_maximum), m_bins).exponent
                == m_grid.exponent);
}

void RingBins::include(float low, float high, MomentPacket* packets)
{
    if (m_any && low >= m_minimum && high <= m_maximum) {
        return;
    }
    m_slots.resize(static_cast<std::size_t>(m_bins)); // on the thread that uses them
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
    empty(packets);
    std::vector<BinMoments> wider(m_slots.size());
    addCoarsened(wider, m_slots, m_grid, steps);
    m_slots = std::move(wider);
}

void RingBins::empty(MomentPacket* packets)
{
    if (!m_any) {
        return;
    }
    for (std::int64_t table = 0; table < m_tables; ++table) {
        for (std::int64_t bin = m_grid.first; bin <= m_grid.last; ++bin) {
            MomentPacket& packet = packets[table * m_bins + (bin & (m_bins - 1))];
            addPacket(m_slots[static_cast<std::size_t>(bin & (m_bins - 1))], packet);
            packet = 0;
        }
    }
}

BinMoments RingBins::slot(std::int64_t bin, const MomentPacket* packets) const
{
    const std::int64_t index = bin & (m_bins - 1);
    BinMoments sum = m_slots[static_cast<std::size_t>(index)];
    for (std::int64_t table = 0; packets != nullptr && table < m_tables; ++table) {
        addPacket(sum, packets[table * m_bins + index]);
    }
    return sum;
}

void RingBins::add(const RingBins& other, const MomentPacket* packets)
{
    if (!other.m_any) {
        return;
    }
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
