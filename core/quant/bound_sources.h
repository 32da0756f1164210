#pragma once

#include "core/base/task_context.h"
#include "core/quant/bound_search.h"
#include "core/stats/site_statistics.h"

#include <vector>

namespace qs {

/// One channel or head of a calibrated site.
class GroupSource final : public BoundSource
{
public:
    explicit GroupSource(const GroupStatistics& group);
    [[nodiscard]] double minimum() const override;
    [[nodiscard]] double maximum() const override;
    [[nodiscard]] double mean() const override;
    [[nodiscard]] double quantile(double p) const override;
    [[nodiscard]] double squaredError(const QuantParams& params) const override;
    [[nodiscard]] std::vector<double> histogram(const ValueAxis& axis) const override;
    [[nodiscard]] std::size_t resolution() const override;

private:
    const GroupStatistics& m_group;
};

/// A whole calibrated site under one scale. Quantiles come from the bins of all groups at their own
/// resolution, values spread evenly within a bin; errors are sums over the groups. Throws Error(Cancelled)
/// from squaredError().
class SiteSource final : public BoundSource
{
public:
    SiteSource(const SiteStatistics& statistics, const TaskContext& context);
    [[nodiscard]] double minimum() const override;
    [[nodiscard]] double maximum() const override;
    [[nodiscard]] double mean() const override;
    [[nodiscard]] double quantile(double p) const override;
    [[nodiscard]] double squaredError(const QuantParams& params) const override;
    [[nodiscard]] std::vector<double> histogram(const ValueAxis& axis) const override;
    [[nodiscard]] std::size_t resolution() const override;

private:
    /// Cumulative counts over one group's bins: counts[i] values lie below edges[i].
    struct Cumulative
    {
        std::vector<double> edges;
        std::vector<double> counts;
    };
    [[nodiscard]] double countBelow(double value) const;
    [[nodiscard]] double valueOfRank(double rank) const;

    const SiteStatistics& m_statistics;
    const TaskContext& m_context;
    double m_minimum;
    double m_maximum;
    std::vector<Cumulative> m_cumulative;
    double m_zeros = 0.0; ///< values known to be 0 or next to it, in no bin
};

/// Values themselves, all finite.
class SampleSource final : public BoundSource
{
public:
    enum class Quantiles {
        Tails, ///< quantile(p) will be asked for p <= 0.001 or p >= 0.999
        Unused
    };
    SampleSource(std::vector<float> values, Quantiles quantiles);
    [[nodiscard]] double minimum() const override { return m_minimum; }
    [[nodiscard]] double maximum() const override { return m_maximum; }
    [[nodiscard]] double mean() const override { return m_mean; }
    [[nodiscard]] double quantile(double p) const override;
    [[nodiscard]] double squaredError(const QuantParams& params) const override;
    [[nodiscard]] std::vector<double> histogram(const ValueAxis& axis) const override;
    [[nodiscard]] std::size_t resolution() const override { return m_values.size() / kValuesPerPart; }

private:
    std::vector<float> m_values; ///< both tails ascending in their places when quantiles are needed
    double m_minimum = 0.0;
    double m_maximum = 0.0;
    double m_mean = 0.0;
};

} // namespace qs
