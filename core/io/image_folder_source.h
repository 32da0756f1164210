#pragma once

#include "core/io/data_source.h"

#include <mutex>
#include <vector>

namespace qs {

/// One picture of a set.
struct ImageEntry
{
    std::filesystem::path file;
    std::string name; ///< relative to the set's folder
    std::optional<int> label;
};

/// The pictures of a folder, in order: those listed in its labels.txt ("file index" lines; a name may contain
/// blanks); else those in its subfolders, whose sorted names are the classes; else those in the folder
/// itself, sorted, without labels. Only .jpg, .jpeg and .png files (any case) unless listed. Hidden files are
/// passed over. `classes` is the number of the model's classes, 0 = unknown. Throws Error(CorruptFile) naming
/// line and file, and for no pictures.
[[nodiscard]] std::vector<ImageEntry> listImages(const std::filesystem::path& folder, std::int64_t classes);

/// Decodes and preprocesses pictures on demand.
class ImageFolderSource final : public DataSource
{
public:
    ImageFolderSource(std::vector<ImageEntry> entries, const Preprocessing& preprocessing);

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
    [[nodiscard]] const ImageEntry& entry(std::int64_t index) const;

    std::vector<ImageEntry> m_entries;
    Preprocessing m_preprocessing;
    mutable std::mutex m_mutex; ///< guards m_hash
    mutable std::string m_hash; ///< empty until asked for
};

} // namespace qs
