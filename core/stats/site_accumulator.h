#pragma once

#include "core/graph/site.h"
#include "core/stats/column_accumulator.h"
#include "core/stats/head_accumulator.h"
#include "core/stats/site_statistics.h"
#include "core/tensor/activation_view.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace qs {

/// Collects the statistics of one activation site while samples pass by. The state does not grow with the
/// samples, and the result has the same bits however the samples are cut into batches and for any number of
/// threads.
///
/// Histograms are linear with the finest power-of-two width at which the group's range fits binLimit() bins;
/// the width doubles as the range grows. The heads of attention probabilities get logarithmic bins. A value
/// so small that its quotient by the bin width underflows (below 2^-126) counts as 0.
class SiteAccumulator
{
public:
    /// \param groups channels or heads, >= 1
    SiteAccumulator(std::string site, GroupAxis axis, Role role, std::int64_t groups);

    /// Adds a batch: samples in order. With GroupAxis::Channel the groups are the view's heads when it has
    /// that many of them (a convolution's input), else its columns. Throws Error(ShapeMismatch) when neither
    /// is `groups` long and Error(InvalidArgument) when an attention probability is 2 or more.
    void observe(const ActivationView& view);

    /// What was seen so far.
    [[nodiscard]] std::shared_ptr<const SiteStatistics> finish() const;

    /// Most bins a group's linear histogram has in a site of that many groups: 1024 for up to 16 groups, then
    /// 128 up to 1024 groups, and 64 beyond. A power of two. Twice as many cost a quarter more time: the
    /// tables of all sites together then leave the caches between batches.
    [[nodiscard]] static std::int64_t binLimit(std::int64_t groups);

private:
    void makeParts(const ActivationView& view);
    void addRanges(std::span<const ValueRange> ranges, std::int64_t batch);

    std::string m_site;
    GroupAxis m_axis;
    Role m_role;
    std::int64_t m_groups;
    std::vector<ColumnAccumulator> m_columns; ///< one of the two is filled by the first batch
    std::vector<HeadAccumulator> m_heads; ///< kShares for each head
    SampleRanges m_samples;
};

/// Statistics over several calibration sets as if made in one pass over all of them: counts and grids are the
/// same, sums equal up to rounding. Throws Error(ShapeMismatch) when the sites differ in name, axis or number
/// of groups, and Error(InvalidArgument) when there is no part.
[[nodiscard]] SiteStatistics mergedStatistics(const std::vector<const SiteStatistics*>& parts);

} // namespace qs
