#pragma once

#include <cstddef>
#include <vector>

namespace qs {

/// Maxima of a row of values over ever longer runs, so that the largest value of any range costs O(log n):
/// drawing a histogram then costs O(pixels), whatever the number of bins, and no spike is lost.
class BinPyramid
{
public:
    BinPyramid() = default;
    explicit BinPyramid(std::vector<double> values);

    [[nodiscard]] std::size_t size() const { return m_levels.empty() ? 0 : m_levels.front().size(); }
    /// Largest value of [begin, end), both cut to size(); 0 for an empty range.
    [[nodiscard]] double maximum(std::size_t begin, std::size_t end) const;
    [[nodiscard]] double maximum() const { return maximum(0, size()); }
    [[nodiscard]] double at(std::size_t index) const { return m_levels.front()[index]; }

private:
    std::vector<std::vector<double>> m_levels; ///< level k holds maxima of 2^k neighbours
};

} // namespace qs
