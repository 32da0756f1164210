#pragma once

#include "core/stats/moment_kernels.h"
#include "core/stats/ring_bins.h"
#include "core/stats/site_statistics.h"
#include "core/tensor/activation_view.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace qs {

/// Statistics of up to 16 neighbouring columns of an activation, each a group of its own. Values reach a
/// column's bins in the order of samples, heads and rows.
class ColumnAccumulator
{
public:
    /// Columns [first, first + columns), columns <= 16; bins per column, a power of two.
    ColumnAccumulator(std::int64_t first, std::int64_t columns, std::int64_t bins);

    /// Extends the range of every sample of the view, `ranges` in order.
    void observe(const ActivationView& view, std::span<ValueRange> ranges);
    /// Writes groups[first .. first + columns).
    void finish(std::span<GroupStatistics> groups) const;

private:
    void observeRows(const float* values, std::int64_t stride, std::int64_t rows, ValueRange& range);
    /// Empties the packets that are half full.
    void makeRoom();
    void include(const float* low, const float* high, ValueRange& range);
    void observeNonFinite(const float* packed, std::int64_t rows, ValueRange& range);
    [[nodiscard]] std::size_t tableBegin(std::size_t lane) const;

    std::int64_t m_first;
    std::int64_t m_columns;
    std::int64_t m_room = kMostInPacket; ///< rows that surely fit into the packets
    std::vector<RingBins> m_bins;
    std::vector<MomentPacket>
        m_tables; ///< 16 tables, one after the other; a lane without a column has one that nobody reads
    std::array<std::uint64_t, kMomentLanes> m_nonFinite {};
};

} // namespace qs
