#include "widgets/plot/bin_pyramid.h"

#include <algorithm>
#include <utility>

namespace qs {

BinPyramid::BinPyramid(std::vector<double> values)
{
    m_levels.push_back(std::move(values));
    while (m_levels.back().size() > 1) {
        const std::vector<double>& fine = m_levels.back();
        std::vector<double> coarse((fine.size() + 1) / 2);
        for (std::size_t i = 0; i < coarse.size(); ++i) {
            coarse[i] = 2 * i + 1 < fine.size() ? std::max(fine[2 * i], fine[2 * i + 1]) : fine[2 * i];
        }
        m_levels.push_back(std::move(coarse));
    }
}

double BinPyramid::maximum(std::size_t begin, std::size_t end) const
{
    end = std::min(end, size());
    if (begin >= end) {
        return 0.0;
    }
    double largest = m_levels.front()[begin];
    // Climb: take the odd ends at each level, halve the rest.
    for (std::size_t level = 0; begin < end; ++level, begin /= 2, end /= 2) {
        if (begin % 2 == 1) {
            largest = std::max(largest, m_levels[level][begin++]);
        }
        if (end % 2 == 1) {
            largest = std::max(largest, m_levels[level][--end]);
        }
    }
    return largest;
}

} // namespace qs
