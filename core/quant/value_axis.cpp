#include "core/quant/value_axis.h"

#include <algorithm>
#include <cmath>

namespace qs {

std::size_t ValueAxis::partOf(double value) const
{
    if (!(value >= lower && value <= upper)) {
        return parts;
    }
    const double part = std::floor((value - lower) / (upper - lower) * static_cast<double>(parts));
    return std::min(static_cast<std::size_t>(part), parts - 1);
}

AxisCounts::AxisCounts(const ValueAxis& axis)
    : m_axis(axis)
    , m_edges(axis.parts + 1)
    , m_counts(axis.parts, 0.0)
{
    for (std::size_t i = 0; i <= axis.parts; ++i) {
        m_edges[i] = axis.lower
            + (axis.upper - axis.lower) * (static_cast<double>(i) / static_cast<double>(axis.parts));
    }
}

void AxisCounts::add(double value, double count)
{
    const std::size_t part = m_axis.partOf(value);
    if (part < m_counts.size()) {
        m_counts[part] += count;
    }
}

void AxisCounts::addSpread(double lower, double upper, double count)
{
    if (!(lower < upper)) {
        add(lower, count);
        return;
    }
    if (upper <= m_edges.front() || lower >= m_edges.back()) {
        return;
    }
    const auto above = std::upper_bound(m_edges.begin(), m_edges.end(), lower);
    auto part = static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, above - m_edges.begin() - 1));
    for (; part < m_counts.size() && m_edges[part] < upper; ++part) {
        const double overlap = std::min(upper, m_edges[part + 1]) - std::max(lower, m_edges[part]);
        m_counts[part] += count * (overlap / (upper - lower));
    }
}

void AxisCounts::add(const AxisCounts& other)
{
    for (std::size_t i = 0; i < m_counts.size(); ++i) {
        m_counts[i] += other.m_counts[i];
    }
}

} // namespace qs
