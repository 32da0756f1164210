#pragma once

#include "core/io/data_source.h"

#include <mutex>
#include <unordered_map>

namespace qs {

/// Keeps samples of another source in memory, the first that fit into a byte limit: decoding a large
/// photograph costs more than a small model's forward pass, and evaluation reads the same samples again and
/// again. Samples are not exchanged for others, which would help no repeated scan. Safe to read from several
/// threads.
class CachingSource final : public DataSource
{
public:
    CachingSource(std::shared_ptr<const DataSource> source, std::size_t byteLimit);

    [[nodiscard]] std::int64_t size() const override { return m_source->size(); }
    [[nodiscard]] std::string sampleName(std::int64_t index) const override
    {
        return m_source->sampleName(index);
    }
    [[nodiscard]] std::optional<int> label(std::int64_t index) const override
    {
        return m_source->label(index);
    }
    [[nodiscard]] std::filesystem::path samplePath(std::int64_t index) const override
    {
        return m_source->samplePath(index);
    }
    [[nodiscard]] Tensor load(std::int64_t index) const override;
    [[nodiscard]] std::string hash() const override { return m_source->hash(); }
    [[nodiscard]] std::string preparation() const override { return m_source->preparation(); }

    /// Bytes kept at the moment.
    [[nodiscard]] std::size_t byteCount() const;

private:
    std::shared_ptr<const DataSource> m_source;
    std::size_t m_limit;
    mutable std::mutex m_mutex; ///< guards what follows
    mutable std::unordered_map<std::int64_t, Tensor> m_samples;
    mutable std::size_t m_bytes = 0;
};

} // namespace qs
