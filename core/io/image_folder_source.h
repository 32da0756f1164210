#pragma once

#include "core/io/data_source.h"
#include "core/io/sample_listing.h"

#include <mutex>
#include <vector>

namespace qs {

/// Decodes and preprocesses pictures on demand.
class ImageFolderSource final : public DataSource
{
public:
    ImageFolderSource(std::vector<SampleEntry> entries, const Preprocessing& preprocessing);

    [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(m_entries.size()); }
    [[nodiscard]] std::string sampleName(std::int64_t index) const override { return entry(index).name; }
    [[nodiscard]] std::optional<int> label(std::int64_t index) const override { return entry(index).label; }
    [[nodiscard]] std::filesystem::path samplePath(std::int64_t index) const override
    {
        return entry(index).file;
    }
    [[nodiscard]] Tensor load(std::int64_t index) const override;
    [[nodiscard]] std::string hash() const override;

private:
    [[nodiscard]] const SampleEntry& entry(std::int64_t index) const;

    std::vector<SampleEntry> m_entries;
    Preprocessing m_preprocessing;
    mutable std::mutex m_mutex; ///< guards m_hash
    mutable std::string m_hash; ///< empty until asked for
};

} // namespace qs
