#pragma once

#include "core/quant/bound_search.h"
#include "core/tensor/activation_view.h"

#include <vector>

namespace qs {

/// An activation's values with a weight for each channel: what an error in that channel does to the outputs
/// of the layer that reads it, |W[:, c]|^2 (methods.md 1.6). Looks at every row or, of many, at evenly spaced
/// ones. The view must stay valid.
class WeightedSource final : public BoundSource
{
public:
    /// weights: one per value of a row.
    WeightedSource(const ActivationView& view, std::vector<float> weights);

    [[nodiscard]] double minimum() const override { return m_minimum; }
    [[nodiscard]] double maximum() const override { return m_maximum; }
    [[nodiscard]] double mean() const override { return m_mean; }
    /// Not asked for by the search for least error. Throws Error(Internal).
    [[nodiscard]] double quantile(double p) const override;
    [[nodiscard]] double squaredError(const QuantParams& params) const override;
    /// A value counts as much as its channel weighs, the mean weight being 1.
    [[nodiscard]] std::vector<double> histogram(const ValueAxis& axis) const override;
    [[nodiscard]] std::size_t resolution() const override { return m_values.size() / kValuesPerPart; }

private:
    std::vector<float> m_values; ///< the rows looked at, dense
    std::vector<float> m_weights;
    double m_minimum = 0.0; ///< of all rows
    double m_maximum = 0.0;
    double m_mean = 0.0;
};

} // namespace qs
