#pragma once

#include "core/graph/site.h"
#include "core/stats/histogram.h"
#include "core/stats/sample_ranges.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace qs {

/// Everything known of one channel or head of one site over the calibration set.
struct GroupStatistics
{
    std::uint64_t count = 0; ///< finite values seen
    std::uint64_t nonFinite = 0; ///< NaN and infinities, in nothing else
    float minimum = 0.0F;
    float maximum = 0.0F;
    double sum = 0.0;
    double sumOfSquares = 0.0;
    Histogram histogram {};

    friend bool operator==(const GroupStatistics&, const GroupStatistics&) = default;
};

/// Statistics of one site: one entry per channel or head, in order. Immutable once published.
struct SiteStatistics
{
    std::string site;
    GroupAxis axis = GroupAxis::Channel;
    std::vector<GroupStatistics> groups;
    SampleRanges samples {}; ///< which sample reached how far; empty for weights and of early files

    [[nodiscard]] std::uint64_t count() const;
    [[nodiscard]] float minimum() const; ///< over all groups with values
    [[nodiscard]] float maximum() const;
    [[nodiscard]] double sumOfSquares() const;
    /// All groups in one histogram of at most maxBins bins.
    [[nodiscard]] Histogram tensorHistogram(std::size_t maxBins) const;

    friend bool operator==(const SiteStatistics&, const SiteStatistics&) = default;
};

/// Statistics of all sites over one calibration set: a result, published once and never changed.
struct Calibration
{
    std::string modelHash;
    std::string dataHash;
    std::string dataPreparation; ///< DataSource::preparation()
    std::int64_t sampleCount = 0;
    std::map<std::string, std::shared_ptr<const SiteStatistics>> sites; ///< by site name, activations only

    [[nodiscard]] std::shared_ptr<const SiteStatistics> find(
        const std::string& site) const; ///< null when absent
};

} // namespace qs
