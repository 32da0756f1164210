#pragma once

#include "core/stats/bin_moments.h"
#include "core/stats/moment_kernels.h"
#include "core/stats/site_statistics.h"

#include <cstdint>
#include <span>
#include <vector>

namespace qs {

/// Linear bins of one group that follow its range: bin k lies in slot k modulo the number of slots, so a
/// growing range costs nothing until the width must double, and then neighbours are added pairwise.
///
/// Values themselves are added by the kernels to tables of float packets with the same slots, which empty()
/// takes over.
class RingBins
{
public:
    /// \param bins a power of two, at least 2
    explicit RingBins(std::int64_t bins);

    /// True when values in [low, high] need wider bins: tables must be emptied before include() is called.
    [[nodiscard]] bool needsWiderBins(float low, float high) const;
    /// Extends the range (zeros become +0) and widens the bins as far as needed.
    void include(float low, float high);
    /// 1 / width, exact.
    [[nodiscard]] float scale() const { return m_scale; }
    [[nodiscard]] std::int32_t mask() const { return static_cast<std::int32_t>(m_slots.size()) - 1; }
    /// Adds a table of mask() + 1 packets to the bins and clears it.
    void empty(MomentPacket* table);

    /// Adds all that `other` holds. Same number of slots.
    void add(const RingBins& other);
    /// Fills in everything but the number of values that were not finite.
    [[nodiscard]] GroupStatistics statistics() const;

private:
    std::vector<BinMoments> m_slots;
    ValueGrid m_grid;
    bool m_any = false;
    float m_minimum = 0.0F;
    float m_maximum = 0.0F;
    float m_scale = 1.0F;
};

} // namespace qs
