#pragma once

#include "core/quant/plan.h"
#include "core/quant/value_axis.h"

#include <vector>

namespace qs {

/// The values that share one scale, as the bound searches ask for them. There is at least one value.
class BoundSource
{
public:
    virtual ~BoundSource() = default;
    [[nodiscard]] virtual double minimum() const = 0;
    [[nodiscard]] virtual double maximum() const = 0;
    [[nodiscard]] virtual double mean() const = 0;
    /// Linear interpolation at h = (n-1)p (methods.md 0.1), p in [0, 1].
    [[nodiscard]] virtual double quantile(double p) const = 0;
    /// Sum of squared errors under parameters with one scale.
    [[nodiscard]] virtual double squaredError(const QuantParams& params) const = 0;
    /// How many values lie in each part of the axis; where only bins are known, values spread evenly in a
    /// bin.
    [[nodiscard]] virtual std::vector<double> histogram(const ValueAxis& axis) const = 0;
    /// Parts that a histogram may have to mean something: with kValuesPerPart values in each on average, and
    /// no more than the bins that are known.
    [[nodiscard]] virtual std::size_t resolution() const = 0;

    static constexpr std::size_t kValuesPerPart = 16;
};

/// Bounds by choice.method, which is not Manual. Symmetric quantizers get [-m, m], logarithmic ones [0, d].
///
/// MinMax: all values. Percentile: [quantile(1-p), quantile(p)] of least squared error among p in {0.999,
/// 0.9999, 0.99999}, the first of equals (RepQ-ViT, methods.md 1.2). Mse: least squared error among [mean + a
/// (min - mean), mean + b (max - mean)] (symmetric: m = f max|x|; logarithmic: d = 2^(-j/16) max): common
/// factors 1, 0.95 .. 0.05 first, then steps of 0.1, 0.05, 0.02, 0.01 for a, for b and for both until none
/// helps. The first candidate is min-max, so the result is never worse than that. Ours; no published method.
/// Kl: least HistogramDivergence, by the same search but from all pairs of 1, 0.95 .. 0.05 for a and b;
/// min-max where the values are too few for the levels. About 500 evaluations of O(N), beside one histogram.
/// Logarithmic quantizers: as Mse, since their steps are the same for every d, so that clipping has nothing
/// to gain.
[[nodiscard]] Bounds searchBounds(const SiteChoice& choice, const BoundSource& values);

} // namespace qs
