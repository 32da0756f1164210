#include "core/io/image_folder_source.h"

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/mapped_file.h"
#include "core/base/parallel.h"
#include "core/io/image_decoder.h"
#include "core/io/preprocess.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace qs {

namespace fs = std::filesystem;

namespace {

bool isHidden(const fs::path& path)
{
    return path.filename().string().starts_with('.');
}

std::vector<fs::path> sortedEntries(const fs::path& folder)
{
    std::error_code error;
    std::vector<fs::path> paths;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
        if (!isHidden(it->path())) {
            paths.push_back(it->path());
        }
    }
    if (error) {
        throw Error(ErrorCode::Io, "cannot list '" + folder.string() + "': " + error.message());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

bool isPicture(const fs::path& path)
{
    std::error_code ignored;
    return hasImageExtension(path) && fs::is_regular_file(path, ignored);
}

/// Pictures below `folder`, at any depth; links to folders are not followed, so there are no cycles.
void collectPictures(const fs::path& folder, std::vector<fs::path>& pictures)
{
    for (const fs::path& path : sortedEntries(folder)) {
        std::error_code ignored;
        if (fs::is_directory(fs::symlink_status(path, ignored))) {
            collectPictures(path, pictures);
        } else if (isPicture(path)) {
            pictures.push_back(path);
        }
    }
}

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view kBlanks = " \t\r";
    const std::size_t first = text.find_first_not_of(kBlanks);
    return first == std::string_view::npos ? std::string_view {}
                                           : text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

ImageEntry parseLine(
    std::string_view line, const fs::path& folder, std::int64_t classes, const std::string& where)
{
    const std::size_t blank = line.find_last_of(" \t");
    const std::string_view number = line.substr(blank + 1); // the whole line when there is no blank
    const std::string name(
        blank == std::string_view::npos ? std::string_view {} : trimmed(line.substr(0, blank)));
    int label = -1;
    const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), label);
    if (name.empty() || problem != std::errc {} || end != number.data() + number.size() || label < 0) {
        throw Error(ErrorCode::CorruptFile,
            where + ": '" + std::string(line.substr(0, 200)) + "' is not 'file index'");
    }
    if (classes > 0 && label >= classes) {
        throw Error(ErrorCode::CorruptFile,
            where + ": class " + std::to_string(label) + " of a model with " + std::to_string(classes)
                + " classes");
    }
    const fs::path relative = fs::path(name).lexically_normal();
    if (relative.is_absolute() || (!relative.empty() && *relative.begin() == "..")) {
        throw Error(ErrorCode::CorruptFile, where + ": '" + name + "' lies outside the folder");
    }
    std::error_code ignored;
    if (!fs::is_regular_file(folder / relative, ignored)) {
        throw Error(ErrorCode::CorruptFile, where + ": there is no file '" + name + "'");
    }
    return {.file = folder / relative, .name = name, .label = label};
}

std::vector<ImageEntry> readLabels(const fs::path& folder, std::int64_t classes)
{
    const fs::path list = folder / "labels.txt";
    const std::shared_ptr<const MappedFile> file = MappedFile::open(list);
    const std::string_view text(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
    std::vector<ImageEntry> entries;
    std::size_t lineNumber = 0;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const std::string_view line = trimmed(text.substr(start, end - start));
        ++lineNumber;
        if (!line.empty()) {
            entries.push_back(parseLine(
                line, folder, classes, "'" + list.string() + "', line " + std::to_string(lineNumber)));
        }
        start = end + 1;
    }
    return entries;
}

std::vector<ImageEntry> readClassFolders(const fs::path& folder, std::int64_t classes)
{
    std::vector<ImageEntry> entries;
    int label = 0;
    for (const fs::path& path : sortedEntries(folder)) {
        std::error_code ignored;
        if (!fs::is_directory(path, ignored)) {
            continue;
        }
        std::vector<fs::path> pictures;
        collectPictures(path, pictures);
        for (const fs::path& picture : pictures) {
            entries.push_back(
                {.file = picture, .name = picture.lexically_relative(folder).string(), .label = label});
        }
        ++label;
    }
    if (!entries.empty() && classes > 0 && label > classes) {
        throw Error(ErrorCode::CorruptFile,
            "'" + folder.string() + "' has " + std::to_string(label) + " class folders, the model "
                + std::to_string(classes) + " classes");
    }
    return entries;
}

void addText(Sha256& hash, const std::string& text)
{
    const std::string framed = std::to_string(text.size()) + ":" + text; // so that no two lists look alike
    hash.update(std::as_bytes(std::span(framed.data(), framed.size())));
}

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

std::vector<ImageEntry> listImages(const fs::path& folder, std::int64_t classes)
{
    std::error_code ignored;
    std::vector<ImageEntry> entries;
    if (fs::exists(folder / "labels.txt", ignored)) {
        entries = readLabels(folder, classes);
    } else {
        entries = readClassFolders(folder, classes);
        if (entries.empty()) {
            for (const fs::path& path : sortedEntries(folder)) {
                if (isPicture(path)) {
                    entries.push_back(
                        {.file = path, .name = path.filename().string(), .label = std::nullopt});
                }
            }
        }
    }
    if (entries.empty()) {
        throw Error(ErrorCode::CorruptFile, "'" + folder.string() + "' holds no JPEG or PNG pictures");
    }
    return entries;
}

ImageFolderSource::ImageFolderSource(std::vector<ImageEntry> entries, const Preprocessing& preprocessing)
    : m_entries(std::move(entries))
    , m_preprocessing(preprocessing)
{
}

const ImageEntry& ImageFolderSource::entry(std::int64_t index) const
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
        std::vector<std::string> contents(m_entries.size());
        parallelFor(size(), 1, [&](std::int64_t begin, std::int64_t end) {
            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                contents[i] = sha256OfFile(m_entries[i].file);
            }
        });
        Sha256 hash;
        addText(hash, textOf(m_preprocessing));
        for (std::size_t i = 0; i < m_entries.size(); ++i) {
            addText(hash, m_entries[i].name);
            addText(hash, m_entries[i].label ? std::to_string(*m_entries[i].label) : "");
            addText(hash, contents[i]);
        }
        m_hash = hash.hex();
    }
    return m_hash;
}

} // namespace qs
