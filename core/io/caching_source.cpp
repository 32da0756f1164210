#include "core/io/caching_source.h"

namespace qs {

CachingSource::CachingSource(std::shared_ptr<const DataSource> source, std::size_t byteLimit)
    : m_source(std::move(source))
    , m_limit(byteLimit)
{
}

Tensor CachingSource::load(std::int64_t index) const
{
    {
        const std::lock_guard lock(m_mutex);
        if (const auto found = m_samples.find(index); found != m_samples.end()) {
            return found->second;
        }
    }
    Tensor sample = m_source->load(index); // outside the lock: several threads decode at once
    const std::lock_guard lock(m_mutex);
    if (sample.byteCount() <= m_limit - m_bytes && m_samples.emplace(index, sample).second) {
        m_bytes += sample.byteCount();
    }
    return sample;
}

std::size_t CachingSource::byteCount() const
{
    const std::lock_guard lock(m_mutex);
    return m_bytes;
}

} // namespace qs
