#include "core/io/spread_source.h"

#include <algorithm>
#include <numbers>
#include <numeric>

namespace qs {

SpreadSource::SpreadSource(std::shared_ptr<const DataSource> source)
    : m_source(std::move(source))
{
    const std::int64_t count = m_source->size();
    m_step = std::max<std::int64_t>(
        1, static_cast<std::int64_t>(static_cast<double>(count) / std::numbers::phi + 0.5));
    while (count > 1 && std::gcd(m_step, count) != 1) {
        ++m_step; // count + 1 has none at the latest
    }
}

std::int64_t SpreadSource::original(std::int64_t index) const
{
    return index * m_step % m_source->size();
}

} // namespace qs
