#pragma once

#include "core/io/data_source.h"
#include "core/io/sample_listing.h"

#include <mutex>
#include <vector>

namespace qs {

/// Recordings of a set as a model's input: one channel of 16 kHz sound, cut or filled up with zeros at the
/// end to the length the model takes.
class AudioSource final : public DataSource
{
public:
    /// `sampleShape`: [length] or [1, length].
    AudioSource(std::vector<SampleEntry> entries, Shape sampleShape);

    [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(m_entries.size()); }
    [[nodiscard]] std::string sampleName(std::int64_t index) const override { return entry(index).name; }
    [[nodiscard]] std::optional<int> label(std::int64_t index) const override { return entry(index).label; }
    [[nodiscard]] std::filesystem::path samplePath(std::int64_t) const override { return {}; }
    /// Throws Error as readWav(), and Unsupported for another sample rate.
    [[nodiscard]] Tensor load(std::int64_t index) const override;
    [[nodiscard]] std::string hash() const override;
    [[nodiscard]] std::string preparation() const override;

private:
    [[nodiscard]] const SampleEntry& entry(std::int64_t index) const;

    std::vector<SampleEntry> m_entries;
    Shape m_shape;
    mutable std::mutex m_mutex; ///< guards m_hash
    mutable std::string m_hash; ///< empty until asked for
};

} // namespace qs
