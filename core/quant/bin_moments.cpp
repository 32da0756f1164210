#include "core/quant/bin_moments.h"

#include <algorithm>

namespace qs {

double BinMoments::mean() const
{
    return std::clamp(sum / count, lower, upper);
}

LinearDensity::LinearDensity(const BinMoments& bin)
    : m_lower(bin.lower)
    , m_width(bin.upper - bin.lower)
    , m_count(bin.count)
    , m_slope(std::clamp(6.0 * (bin.mean() - 0.5 * (bin.lower + bin.upper)) / m_width, -1.0, 1.0))
{
}

LinearDensity::Part LinearDensity::part(double from, double to, double level) const
{
    const double u = (from - m_lower) / m_width;
    const double v = (to - m_lower) / m_width;
    const double u2 = u * u;
    const double v2 = v * v;
    const double cubes = v2 * v - u2 * u;
    const double base = 1.0 - m_slope;
    const double mass = base * (v - u) + m_slope * (v2 - u2);
    const double first = 0.5 * base * (v2 - u2) + m_slope * cubes * (2.0 / 3.0);
    const double second = base * cubes / 3.0 + 0.5 * m_slope * (v2 * v2 - u2 * u2);
    const double c = (level - m_lower) / m_width;
    const double error = second - 2.0 * c * first + c * c * mass;
    return {m_count * mass, m_count * (m_lower * mass + m_width * first),
        m_count * m_width * m_width * std::max(0.0, error)};
}

} // namespace qs
