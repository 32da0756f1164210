#pragma once

#include <cstddef>
#include <vector>

namespace qs {

/// An interval of values cut into equal parts.
struct ValueAxis
{
    double lower = 0.0;
    double upper = 1.0; ///< > lower
    std::size_t parts = 1; ///< > 0

    /// Of a part.
    [[nodiscard]] double width() const { return (upper - lower) / static_cast<double>(parts); }
    /// The part that a value lies in, the upper end being in the last; `parts` for a value outside.
    [[nodiscard]] std::size_t partOf(double value) const;
};

/// How many values lie in each part of an axis; values outside count nowhere.
class AxisCounts
{
public:
    explicit AxisCounts(const ValueAxis& axis);

    void add(double value, double count = 1.0);
    /// `count` values spread evenly from lower to upper >= lower.
    void addSpread(double lower, double upper, double count);
    /// The counts of another of the same axis.
    void add(const AxisCounts& other);
    [[nodiscard]] const std::vector<double>& counts() const { return m_counts; }

private:
    ValueAxis m_axis;
    std::vector<double> m_edges; ///< parts + 1
    std::vector<double> m_counts;
};

} // namespace qs
