#pragma once

namespace qs {

/// What is known of the values of one histogram bin: they lie in [lower, upper], and these are their moments.
struct BinMoments
{
    double lower = 0.0;
    double upper = 0.0;
    double count = 0.0; ///< > 0
    double sum = 0.0;
    double squares = 0.0;

    /// Mean, within the bin.
    [[nodiscard]] double mean() const;
};

/// Estimate of how a bin's values lie in it: the linear density with the bin's mean, as far as one without
/// negative parts has it. lower < upper.
class LinearDensity
{
public:
    explicit LinearDensity(const BinMoments& bin);

    /// Expected number, sum, and sum of (x - level)^2 of the values in [from, to], which lies in the bin.
    struct Part
    {
        double count = 0.0;
        double sum = 0.0;
        double error = 0.0;
    };
    [[nodiscard]] Part part(double from, double to, double level) const;

private:
    double m_lower;
    double m_width;
    double m_count;
    double m_slope; ///< density (1 + slope (2 y - 1)) at y = (x - lower) / width in [0, 1]
};

} // namespace qs
