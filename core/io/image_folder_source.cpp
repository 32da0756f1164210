#include "core/io/image_folder_source.h"

#include "core/base/error.h"
#include "core/io/image_decoder.h"
#include "core/io/preprocess.h"

#include <array>
#include <charconv>

namespace qs {

namespace fs = std::filesystem;

namespace {

std::string textOf(const Preprocessing& settings)
{
    std::string text = std::to_string(settings.height) + " " + std::to_string(settings.width) + " "
        + std::to_string(settings.resizeShorter) + " "
        + std::to_string(static_cast<int>(settings.resampling));
    for (const auto& numbers : {settings.mean, settings.standardDeviation}) {
        for (const double number : numbers) {
            std::array<char, 40> digits {};
            const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
            text += " " + std::string(digits.data(), end);
        }
    }
    return text;
}

} // namespace

ImageFolderSource::ImageFolderSource(std::vector<SampleEntry> entries, const Preprocessing& preprocessing)
    : m_entries(std::move(entries))
    , m_preprocessing(preprocessing)
{
}

const SampleEntry& ImageFolderSource::entry(std::int64_t index) const
{
    if (index < 0 || index >= size()) {
        throw Error(ErrorCode::InvalidArgument,
            "there is no picture " + std::to_string(index) + " among " + std::to_string(size()));
    }
    return m_entries[static_cast<std::size_t>(index)];
}

Tensor ImageFolderSource::load(std::int64_t index) const
{
    const fs::path& file = entry(index).file;
    try {
        return toModelInput(decodeImage(file), m_preprocessing);
    } catch (const std::bad_alloc&) {
        throw Error(ErrorCode::OutOfMemory, "no memory for the picture '" + file.string() + "'");
    }
}

std::string ImageFolderSource::hash() const
{
    const std::lock_guard lock(m_mutex);
    if (m_hash.empty()) {
        m_hash = hashOfSamples(textOf(m_preprocessing), m_entries);
    }
    return m_hash;
}

} // namespace qs
