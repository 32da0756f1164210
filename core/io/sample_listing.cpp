#include "core/io/sample_listing.h"

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/mapped_file.h"
#include "core/base/parallel.h"

#include <algorithm>
#include <charconv>
#include <span>
#include <string_view>

namespace qs {

namespace fs = std::filesystem;

namespace {

void addText(Sha256& hash, const std::string& text)
{
    const std::string framed = std::to_string(text.size()) + ":" + text; // so that no two lists look alike
    hash.update(std::as_bytes(std::span(framed.data(), framed.size())));
}

bool isHidden(const fs::path& path)
{
    return path.filename().string().starts_with('.');
}

bool isSample(const fs::path& path, const ListingRules& rules)
{
    std::error_code ignored;
    return rules.accepts(path) && fs::is_regular_file(path, ignored);
}

/// Samples below `folder`, at any depth; links to folders are not followed, so there are no cycles.
std::vector<fs::path> samplesBelow(const fs::path& folder, const ListingRules& rules)
{
    std::vector<fs::path> samples;
    std::vector<fs::path> open = sortedEntries(folder); // the next one to look at comes last
    std::reverse(open.begin(), open.end());
    while (!open.empty()) {
        const fs::path path = std::move(open.back());
        open.pop_back();
        std::error_code ignored;
        if (fs::is_directory(fs::symlink_status(path, ignored))) {
            const std::vector<fs::path> inner = sortedEntries(path);
            open.insert(open.end(), inner.rbegin(), inner.rend());
        } else if (isSample(path, rules)) {
            samples.push_back(path);
        }
    }
    return samples;
}

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view kBlanks = " \t\r";
    const std::size_t first = text.find_first_not_of(kBlanks);
    return first == std::string_view::npos ? std::string_view {}
                                           : text.substr(first, text.find_last_not_of(kBlanks) + 1 - first);
}

std::optional<int> classNamed(std::string_view name, const ListingRules& rules)
{
    const auto found = std::ranges::find(rules.classNames, name);
    return found == rules.classNames.end()
        ? std::nullopt
        : std::optional(static_cast<int>(found - rules.classNames.begin()));
}

SampleEntry parseLine(
    std::string_view line, const fs::path& folder, const ListingRules& rules, const std::string& where)
{
    const std::size_t blank = line.find_last_of(" \t");
    const std::string_view word = line.substr(blank + 1); // the whole line when there is no blank
    const std::string name(
        blank == std::string_view::npos ? std::string_view {} : trimmed(line.substr(0, blank)));
    int label = -1;
    const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), label);
    if (problem != std::errc {} || end != word.data() + word.size()) {
        label = classNamed(word, rules).value_or(-1);
    }
    if (name.empty() || label < 0) {
        throw Error(ErrorCode::CorruptFile,
            where + ": '" + std::string(line.substr(0, 200)) + "' is not 'file class'");
    }
    if (rules.classes > 0 && label >= rules.classes) {
        throw Error(ErrorCode::CorruptFile,
            where + ": class " + std::to_string(label) + " of a model with " + std::to_string(rules.classes)
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

std::vector<SampleEntry> readLabels(const fs::path& folder, const ListingRules& rules)
{
    const fs::path list = folder / "labels.txt";
    const std::shared_ptr<const MappedFile> file = MappedFile::open(list);
    const std::string_view text(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
    std::vector<SampleEntry> entries;
    std::size_t lineNumber = 0;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        const std::string_view line = trimmed(text.substr(start, end - start));
        ++lineNumber;
        if (!line.empty()) {
            entries.push_back(parseLine(
                line, folder, rules, "'" + list.string() + "', line " + std::to_string(lineNumber)));
        }
        start = end + 1;
    }
    return entries;
}

/// Class of a subfolder; `order` is its place among them.
int classOfFolder(const fs::path& folder, int order, const ListingRules& rules)
{
    if (rules.classNames.empty()) {
        return order;
    }
    const std::string name = folder.filename().string();
    if (const auto label = classNamed(name, rules)) {
        return *label;
    }
    throw Error(ErrorCode::CorruptFile,
        "the folder '" + folder.string() + "' is named like none of the model's "
            + std::to_string(rules.classNames.size()) + " classes");
}

std::vector<SampleEntry> readClassFolders(const fs::path& folder, const ListingRules& rules)
{
    std::vector<SampleEntry> entries;
    int order = 0;
    for (const fs::path& path : sortedEntries(folder)) {
        std::error_code ignored;
        if (!fs::is_directory(path, ignored)) {
            continue;
        }
        const std::vector<fs::path> samples = samplesBelow(path, rules);
        if (!samples.empty() || rules.classNames.empty()) {
            const int label = classOfFolder(path, order, rules);
            for (const fs::path& sample : samples) {
                entries.push_back(
                    {.file = sample, .name = sample.lexically_relative(folder).string(), .label = label});
            }
        }
        ++order;
    }
    if (!entries.empty() && rules.classes > 0 && rules.classNames.empty() && order > rules.classes) {
        throw Error(ErrorCode::CorruptFile,
            "'" + folder.string() + "' has " + std::to_string(order) + " class folders, the model "
                + std::to_string(rules.classes) + " classes");
    }
    return entries;
}

} // namespace

std::string lowerExtension(const fs::path& path)
{
    std::string extension = path.extension().string();
    std::ranges::transform(extension, extension.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return extension;
}

std::string hashOfSamples(const std::string& preparation, const std::vector<SampleEntry>& entries)
{
    std::vector<std::string> contents(entries.size());
    parallelFor(static_cast<std::int64_t>(entries.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
            contents[i] = sha256OfFile(entries[i].file);
        }
    });
    Sha256 hash;
    addText(hash, preparation);
    for (std::size_t i = 0; i < entries.size(); ++i) {
        addText(hash, entries[i].name);
        addText(hash, entries[i].label ? std::to_string(*entries[i].label) : "");
        addText(hash, contents[i]);
    }
    return hash.hex();
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

std::vector<SampleEntry> listSamples(const fs::path& folder, const ListingRules& rules)
{
    std::error_code ignored;
    std::vector<SampleEntry> entries;
    if (fs::exists(folder / "labels.txt", ignored)) {
        entries = readLabels(folder, rules);
    } else {
        entries = readClassFolders(folder, rules);
        if (entries.empty()) {
            for (const fs::path& path : sortedEntries(folder)) {
                if (isSample(path, rules)) {
                    entries.push_back(
                        {.file = path, .name = path.filename().string(), .label = std::nullopt});
                }
            }
        }
    }
    if (entries.empty()) {
        throw Error(ErrorCode::CorruptFile, "'" + folder.string() + "' holds no " + rules.what);
    }
    return entries;
}

} // namespace qs
