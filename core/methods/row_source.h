#pragma once

#include "core/quant/bound_search.h"
#include "core/tensor/activation_view.h"

#include <string>
#include <vector>

namespace qs {

/// All values of an activation as the bound searches ask for them, from the values themselves. Quantiles
/// interpolate between the sorted values as torch.quantile does on float32, whose rank (n - 1) p is a float32
/// too: at millions of values that moves it by up to half a rank, and published scales carry it. They are
/// asked for p <= 0.001 or p >= 0.999 only. The view must stay valid.
class RowSource final : public BoundSource
{
public:
    /// `name` is the subject of the sentence of Error(InvalidArgument), thrown when a value is not finite or
    /// there are none.
    RowSource(const ActivationView& view, const std::string& name);

    [[nodiscard]] double minimum() const override;
    [[nodiscard]] double maximum() const override;
    [[nodiscard]] double mean() const override { return m_mean; }
    [[nodiscard]] double quantile(double p) const override;
    [[nodiscard]] double squaredError(const QuantParams& params) const override;
    [[nodiscard]] std::vector<double> histogram(const ValueAxis& axis) const override;
    [[nodiscard]] std::size_t resolution() const override;

private:
    template<typename Body>
    [[nodiscard]] double sumOverRows(const Body& body) const;

    ActivationView m_view;
    std::vector<float> m_lowest; ///< ascending
    std::vector<float> m_highest; ///< descending
    double m_mean = 0.0;
};

/// Dense values as one row.
[[nodiscard]] ActivationView viewOf(const std::vector<float>& values);
/// Columns of an activation's rows, each dense: [width][rows].
[[nodiscard]] std::vector<std::vector<float>> columnsOf(const ActivationView& view);
/// Values of each head, each dense.
[[nodiscard]] std::vector<std::vector<float>> headsOf(const ActivationView& view);

} // namespace qs
