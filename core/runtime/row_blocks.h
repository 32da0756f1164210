#pragma once

#include "core/runtime/array.h"

#include <algorithm>

namespace qs {

/// How the rows of a [..., T, D] value are cut into blocks for the threads: by its dims alone, so that a
/// block's results cannot depend on the number of threads, and along the samples' edges, so that they cannot
/// depend on the batch size either.
class RowBlocks
{
public:
    explicit RowBlocks(const Dims& dims)
        : m_rows(dims.empty() ? 1 : product(dims, 0, dims.size() - 1))
    {
        const std::int64_t period = dims.size() >= 3 ? dims[dims.size() - 2] : 1;
        if (period == 0 || m_rows == 0) {
            return;
        }
        if (period <= kTarget) {
            m_period = period * (kTarget / period);
            m_perPeriod = 1;
        } else {
            m_period = period;
            m_perPeriod = (period + kTarget - 1) / kTarget;
            m_perPeriod += m_perPeriod % 2; // an even number keeps two threads equally busy for one sample
        }
        m_block = (m_period + m_perPeriod - 1) / m_perPeriod;
    }

    [[nodiscard]] std::int64_t rows() const { return m_rows; }
    [[nodiscard]] std::int64_t count() const { return (m_rows + m_period - 1) / m_period * m_perPeriod; }
    [[nodiscard]] std::int64_t maxRows() const { return m_block; }
    /// First row of a block; a block may be empty.
    [[nodiscard]] std::int64_t begin(std::int64_t block) const
    {
        const std::int64_t inside = std::min(block % m_perPeriod * m_block, m_period);
        return std::min(block / m_perPeriod * m_period + inside, m_rows);
    }
    [[nodiscard]] std::int64_t end(std::int64_t block) const
    {
        const std::int64_t inside = std::min((block % m_perPeriod + 1) * m_block, m_period);
        return std::min(block / m_perPeriod * m_period + inside, m_rows);
    }

private:
    static constexpr std::int64_t kTarget = 100;

    std::int64_t m_rows = 0;
    std::int64_t m_period = 1;
    std::int64_t m_perPeriod = 1;
    std::int64_t m_block = 1;
};

} // namespace qs
