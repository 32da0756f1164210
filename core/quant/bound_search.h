#pragma once

#include "core/quant/plan.h"
#include "core/quant/quantization_error.h"
#include "core/stats/site_statistics.h"

#include <vector>

namespace qs {

/// Values behind one scale, as the bound searches see them.
class ValueSummary
{
public:
    virtual ~ValueSummary() = default;
    [[nodiscard]] virtual double minimum() const = 0;
    [[nodiscard]] virtual double maximum() const = 0;
    /// Linear interpolation between order statistics (methods.md 0.1), p in [0, 1].
    [[nodiscard]] virtual double quantileAt(double p) const = 0;
    /// Sum of squared errors under parameters with one scale.
    [[nodiscard]] virtual double squaredError(const QuantParams& params) const = 0;
};

/// One channel or head of a calibrated site.
class GroupSummary final : public ValueSummary
{
public:
    explicit GroupSummary(const GroupStatistics& group);
    [[nodiscard]] double minimum() const override;
    [[nodiscard]] double maximum() const override;
    [[nodiscard]] double quantileAt(double p) const override;
    [[nodiscard]] double squaredError(const QuantParams& params) const override;

private:
    const GroupStatistics& m_group;
};

/// A whole calibrated site under one scale: quantiles from the merged histogram, errors from every group's
/// own bins.
class TensorSummary final : public ValueSummary
{
public:
    explicit TensorSummary(const SiteStatistics& statistics);
    [[nodiscard]] double minimum() const override;
    [[nodiscard]] double maximum() const override;
    [[nodiscard]] double quantileAt(double p) const override;
    [[nodiscard]] double squaredError(const QuantParams& params) const override;

private:
    const SiteStatistics& m_statistics;
    Histogram m_merged;
};

/// The values themselves.
class SampleSummary final : public ValueSummary
{
public:
    explicit SampleSummary(std::vector<float> values);
    [[nodiscard]] double minimum() const override;
    [[nodiscard]] double maximum() const override;
    [[nodiscard]] double quantileAt(double p) const override;
    [[nodiscard]] double squaredError(const QuantParams& params) const override;

private:
    std::vector<float> m_sorted; ///< finite values
};

/// Of the RepQ-ViT candidates p in {0.999, 0.9999, 0.99999} with bounds (quantile(1 - p), quantile(p)) the
/// one of least squared error, the earliest of equals (arXiv 2212.08254 as in methods.md 1.2).
[[nodiscard]] Bounds percentileBounds(const SiteChoice& choice, const ValueSummary& values);

/// Least squared error over shrunken min-max ranges, our own search: both bounds drawn towards zero (or
/// towards the end nearest to zero) by the same factor 1.00, 0.99 ... 0.20, then each alone by up to 0.05 in
/// three rounds.
[[nodiscard]] Bounds leastSquaresBounds(const SiteChoice& choice, const ValueSummary& values);

} // namespace qs
