#pragma once

#include "core/stats/moment_kernels.h"
#include "core/stats/ring_bins.h"
#include "core/stats/site_statistics.h"
#include "core/tensor/activation_view.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qs {

/// Statistics of one share of the rows of one head (or image channel) of an activation. A head is cut into
/// row shares so that few heads still keep all threads busy; the shares are added up at the end.
class HeadAccumulator
{
public:
    static constexpr std::int64_t kShares = 4;

    /// \param share which quarter of the rows, 0 .. kShares - 1
    /// \param bins for BinScale::Linear: a power of two
    HeadAccumulator(std::int64_t head, std::int64_t share, BinScale scale, std::int64_t bins);

    /// Extends the range of every sample of the view, `ranges` in order. Throws Error(InvalidArgument) for a
    /// value of 2 or more on logarithmic bins.
    void observe(const ActivationView& view, std::span<ValueRange> ranges);
    /// Statistics of all shares of one head.
    [[nodiscard]] static GroupStatistics combined(std::span<const HeadAccumulator> shares);

private:
    void observeBlock(
        const float* values, std::int64_t stride, std::int64_t rows, std::int64_t width, ValueRange& range);
    void include(float low, float high);
    void observeNonFinite(
        const float* values, std::int64_t stride, std::int64_t rows, std::int64_t width, ValueRange& range);
    [[nodiscard]] std::int64_t tableSize() const;
    /// Empties the packets when one may be more than half full.
    void makeRoom();
    void emptyTables();
    void addPackets(std::vector<BinMoments>& slots) const;
    [[nodiscard]] static GroupStatistics logarithmic(std::span<const HeadAccumulator> shares);

    std::int64_t m_head;
    std::int64_t m_share;
    BinScale m_scale;
    std::int64_t m_room = kMostInPacket; ///< values that surely fit into any packet
    RingBins m_bins; ///< Linear: all; Log2: the range alone
    std::vector<BinMoments> m_slots; ///< Log2
    std::vector<MomentPacket> m_tables; ///< kMomentTables of tableSize() slots
    std::uint64_t m_nonFinite = 0;
};

} // namespace qs
