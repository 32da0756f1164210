#pragma once

#include "core/stats/bin_moments.h"
#include "core/stats/moment_kernels.h"
#include "core/stats/site_statistics.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qs {

/// Adds what a packet holds, exactly.
void addPacket(BinMoments& slot, MomentPacket packet);

/// Linear bins of one group that follow its range: bin k lies in slot k modulo the number of slots, so a
/// growing range costs nothing until the width must double, and then neighbours are added pairwise.
///
/// Values themselves are added by the kernels to `tables` tables of packets with the same slots, which
/// lie one after the other at the pointer that the functions take. empty() moves them into doubles, which
/// exist from the first value on: memory does not grow with the samples.
class RingBins
{
public:
    /// \param bins a power of two, at least 2
    RingBins(std::int64_t bins, std::int64_t tables);

    /// Whether values from `low` to `high` fit the bins as wide as they are.
    [[nodiscard]] bool fits(float low, float high) const;
    /// Extends the range (zeros become +0) and widens the bins, also those of the packets, as far as needed.
    void include(float low, float high, MomentPacket* packets);
    /// 1 / width, exact.
    [[nodiscard]] float scale() const { return m_scale; }
    [[nodiscard]] std::int32_t mask() const { return static_cast<std::int32_t>(m_bins) - 1; }
    /// Moves the packets to the doubles.
    void empty(MomentPacket* packets);

    /// Adds all that `other` and its packets hold to the doubles. Same number of bins; no packets here.
    void add(const RingBins& other, const MomentPacket* packets);
    /// Fills in everything but the number of values that were not finite. Packets may be null when they are
    /// empty.
    [[nodiscard]] GroupStatistics statistics(const MomentPacket* packets) const;

private:
    void widen(const ValueGrid& grid, MomentPacket* packets);
    [[nodiscard]] BinMoments slot(std::int64_t bin, const MomentPacket* packets) const;

    std::int64_t m_bins;
    std::int64_t m_tables;
    std::vector<BinMoments> m_slots; ///< empty until there is a value
    ValueGrid m_grid;
    bool m_any = false;
    float m_minimum = 0.0F;
    float m_maximum = 0.0F;
    float m_scale = 1.0F;
};

} // namespace qs
