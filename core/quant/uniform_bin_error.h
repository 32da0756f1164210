#pragma once

#include "core/quant/bin_moments.h"
#include "core/quant/quantization_error.h"

namespace qs {

/// Adds what one scale of a uniform quantizer does to histogram bins: clipping, rounding, uncertainty,
/// clipped.
///
/// With levels L_k the squared error is x^2 - h(x), h(x) = max_k (2 L_k x - L_k^2): convex and piecewise
/// linear. The sum of x^2 is known, and so are count n and mean m; therefore
///   n h(m) <= sum h(x) <= n times the chord of h over the bin, at m        (Jensen; chord of a convex
///   function)
/// is a proven interval for the error. Inside one cell both ends agree and the error is exact. The estimate
/// within the interval is that of a linear density with the bin's mean.
class UniformBinError
{
public:
    UniformBinError(const QuantParams& params, std::int64_t group);
    void add(const BinMoments& bin, QuantizationError& error) const;

private:
    /// Codes are counted from the zero point here; those outside [m_lowest, m_highest] are clipped.
    [[nodiscard]] double level(double code) const;
    /// The line of h that belongs to a code: 2 L x - L^2.
    [[nodiscard]] double line(double code, double x) const;
    [[nodiscard]] double codeOf(double x) const;
    void addInside(double code, const BinMoments& bin, QuantizationError& error) const;
    void addAcross(double first, double last, const BinMoments& bin, QuantizationError& error) const;
    [[nodiscard]] QuantizationError estimate(double first, double last, const BinMoments& bin) const;

    float m_step;
    double m_lowest;
    double m_highest;
};

} // namespace qs
