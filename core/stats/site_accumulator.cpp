#include "core/stats/site_accumulator.h"

#include "core/base/error.h"
#include "core/base/parallel.h"

#include <algorithm>
#include <span>

namespace qs {

namespace {

void include(GroupStatistics& sum, const GroupStatistics& part)
{
    if (part.count > 0) {
        sum.minimum = sum.count > 0 ? std::min(sum.minimum, part.minimum) : part.minimum;
        sum.maximum = sum.count > 0 ? std::max(sum.maximum, part.maximum) : part.maximum;
    }
    sum.count += part.count;
    sum.nonFinite += part.nonFinite;
    sum.sum += part.sum;
    sum.sumOfSquares += part.sumOfSquares;
}

} // namespace

SiteAccumulator::SiteAccumulator(std::string site, GroupAxis axis, Role role, std::int64_t groups)
    : m_site(std::move(site))
    , m_axis(axis)
    , m_role(role)
    , m_groups(groups)
{
}

std::int64_t SiteAccumulator::binLimit(std::int64_t groups)
{
    if (groups <= 16) {
        return 1024;
    }
    if (groups <= 1024) {
        return 128;
    }
    return 64;
}

void SiteAccumulator::makeParts(const ActivationView& view)
{
    const bool byHead = m_axis == GroupAxis::Head || (view.heads > 1 && view.heads == m_groups);
    const std::int64_t found = byHead ? view.heads : view.width;
    const bool changed = byHead ? !m_columns.empty() : !m_heads.empty();
    if (m_groups < 1 || found != m_groups || changed) {
        throw Error(ErrorCode::ShapeMismatch,
            "site '" + m_site + "' has " + std::to_string(m_groups) + " groups, its activation has "
                + std::to_string(view.heads) + " heads of " + std::to_string(view.rows) + " x "
                + std::to_string(view.width));
    }
    const std::int64_t bins = binLimit(m_groups);
    const BinScale scale
        = m_role == Role::Softmax && m_axis == GroupAxis::Head ? BinScale::Log2 : BinScale::Linear;
    if (byHead && m_heads.empty()) {
        for (std::int64_t part = 0; part < m_groups * HeadAccumulator::kShares; ++part) {
            m_heads.emplace_back(
                part / HeadAccumulator::kShares, part % HeadAccumulator::kShares, scale, bins);
        }
    } else if (!byHead && m_columns.empty()) {
        for (std::int64_t first = 0; first < m_groups; first += kMomentLanes) {
            m_columns.emplace_back(first, std::min<std::int64_t>(kMomentLanes, m_groups - first), bins);
        }
    }
}

void SiteAccumulator::observe(const ActivationView& view)
{
    makeParts(view);
    const auto parts = static_cast<std::int64_t>(m_columns.size() + m_heads.size());
    const auto batch = static_cast<std::size_t>(view.batch);
    std::vector<ValueRange> ranges(static_cast<std::size_t>(parts) * batch); // part after part
    parallelFor(parts, 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto part = static_cast<std::size_t>(begin); part < static_cast<std::size_t>(end); ++part) {
            const std::span<ValueRange> own = std::span(ranges).subspan(part * batch, batch);
            if (m_columns.empty()) {
                m_heads[part].observe(view, own);
            } else {
                m_columns[part].observe(view, own);
            }
        }
    });
    addRanges(ranges, view.batch);
}

void SiteAccumulator::addRanges(std::span<const ValueRange> ranges, std::int64_t batch)
{
    for (auto sample = std::size_t {0}; sample < static_cast<std::size_t>(batch); ++sample) {
        ValueRange range;
        for (std::size_t i = sample; i < ranges.size(); i += static_cast<std::size_t>(batch)) {
            if (!ranges[i].isEmpty) {
                range.include(ranges[i].minimum, ranges[i].maximum);
            }
        }
        m_samples.add(range);
    }
}

std::shared_ptr<const SiteStatistics> SiteAccumulator::finish() const
{
    auto result = std::make_shared<SiteStatistics>();
    result->site = m_site;
    result->axis = m_axis;
    result->samples = m_samples;
    result->groups.resize(static_cast<std::size_t>(m_groups));
    for (const ColumnAccumulator& columns : m_columns) {
        columns.finish(result->groups);
    }
    const std::span<const HeadAccumulator> heads(m_heads);
    for (std::size_t first = 0; first < heads.size(); first += HeadAccumulator::kShares) {
        result->groups[first / HeadAccumulator::kShares]
            = HeadAccumulator::combined(heads.subspan(first, HeadAccumulator::kShares));
    }
    return result;
}

SiteStatistics mergedStatistics(const std::vector<const SiteStatistics*>& parts)
{
    if (parts.empty()) {
        throw Error(ErrorCode::InvalidArgument, "there are no statistics to merge");
    }
    SiteStatistics sum;
    sum.site = parts.front()->site;
    sum.axis = parts.front()->axis;
    sum.groups.resize(parts.front()->groups.size());
    const std::int64_t bins = SiteAccumulator::binLimit(static_cast<std::int64_t>(sum.groups.size()));
    for (const SiteStatistics* part : parts) {
        if (part->site != sum.site || part->axis != sum.axis || part->groups.size() != sum.groups.size()) {
            throw Error(ErrorCode::ShapeMismatch,
                "statistics of '" + part->site + "' with " + std::to_string(part->groups.size())
                    + " groups do not fit those of '" + sum.site + "' with "
                    + std::to_string(sum.groups.size()));
        }
        sum.samples = joined(sum.samples, part->samples);
    }
    for (std::size_t group = 0; group < sum.groups.size(); ++group) {
        std::vector<const Histogram*> histograms;
        for (const SiteStatistics* part : parts) {
            include(sum.groups[group], part->groups[group]);
            histograms.push_back(&part->groups[group].histogram);
        }
        const bool logarithmic = histograms.front()->scale == BinScale::Log2;
        sum.groups[group].histogram
            = merged(histograms, static_cast<std::size_t>(logarithmic ? std::int64_t {kLog2Slots} : bins));
    }
    return sum;
}

} // namespace qs
