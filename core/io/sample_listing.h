#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace qs {

/// One file of a set of samples.
struct SampleEntry
{
    std::filesystem::path file;
    std::string name; ///< relative to the set's folder
    std::optional<int> label;
};

/// What listSamples() looks for.
struct ListingRules
{
    std::function<bool(const std::filesystem::path&)> accepts; ///< looks at the file's name
    std::string what; ///< for sentences: "JPEG or PNG pictures"
    std::int64_t classes = 0; ///< of the model, 0 = unknown
    std::vector<std::string> classNames; ///< of the model in output order; empty where it does not tell
};

/// The samples of a folder, in order: those listed in its labels.txt ("file class" lines; a name may contain
/// blanks; the class is an index, or one of the model's class names); else those in its subfolders, which are
/// the classes: by name where the model names its classes, else by their sorted order; else those in the
/// folder itself, sorted, without labels. Only files that are accepted unless listed. Hidden files are passed
/// over. Throws Error(CorruptFile) naming line, file or folder, and for no samples.
[[nodiscard]] std::vector<SampleEntry> listSamples(
    const std::filesystem::path& folder, const ListingRules& rules);

/// ".wav" of "A.WAV".
[[nodiscard]] std::string lowerExtension(const std::filesystem::path& path);

/// SHA-256 over how samples are prepared and over names, labels and contents of the files, in order.
[[nodiscard]] std::string hashOfSamples(
    const std::string& preparation, const std::vector<SampleEntry>& entries);

/// Entries of a folder that are not hidden, sorted. Throws Error(Io).
[[nodiscard]] std::vector<std::filesystem::path> sortedEntries(const std::filesystem::path& folder);

} // namespace qs
