#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/eval/calibrate.h"
#include "core/eval/calibration_arrays.h"
#include "core/io/hdf5_file.h"

#include <algorithm>
#include <array>
#include <span>

namespace qs {

namespace {

constexpr const char* kFormat = "quantoscope-calibration";
constexpr std::int64_t kVersion = 2; ///< version 1 knows nothing of samples; it is still read

/// "/" or the group of a larger file, as the beginning of the paths inside.
std::string prefixOf(const std::string& group)
{
    return group == "/" ? std::string() : group;
}

/// "/sites/00012": names of sites may contain '/', so they are attributes.
std::string groupOf(std::size_t index)
{
    std::string digits = std::to_string(index);
    digits.insert(0, digits.size() < 5 ? 5 - digits.size() : 0, '0');
    return "/sites/" + digits;
}

std::string contentHash(const Calibration& calibration, std::span<const CalibrationArrays> sites)
{
    Sha256 hash;
    const std::array<std::uint64_t, 3> sizes {calibration.modelHash.size(), calibration.dataHash.size(),
        static_cast<std::uint64_t>(calibration.sampleCount)};
    hash.update(std::as_bytes(std::span(sizes)));
    hash.update(std::as_bytes(std::span(calibration.modelHash)));
    hash.update(std::as_bytes(std::span(calibration.dataHash)));
    hash.update(std::as_bytes(std::span(calibration.dataPreparation)));
    for (const CalibrationArrays& site : sites) {
        hashArrays(hash, site);
    }
    return hash.hex();
}

template<typename T>
void write(Hdf5File& file, const std::string& dataset, const std::vector<T>& values)
{
    const Tensor tensor
        = Tensor::of<T>(Shape {static_cast<std::int64_t>(values.size())}, std::span<const T>(values));
    const bool worthwhile = tensor.byteCount() > 256;
    file.writeTensor(dataset, tensor, worthwhile ? Compression::Deflate : Compression::None);
}

template<typename T>
void read(
    const Hdf5File& file, const std::string& dataset, const std::string& subject, std::vector<T>& values)
{
    const Tensor tensor = file.readTensor(dataset);
    if (tensor.dtype() != DTypeOf<T>::value || tensor.shape().rank() != 1) {
        throw Error(ErrorCode::CorruptFile,
            subject + ": '" + dataset + "' is " + std::string(nameOf(tensor.dtype())) + " of shape "
                + tensor.shape().text() + " instead of one row of " + std::string(nameOf(DTypeOf<T>::value)));
    }
    const std::span<const T> data = tensor.data<T>();
    values.assign(data.begin(), data.end());
}

/// Calls visit(dataset name, array) for every array of a site in the file; `Arrays` is const when writing.
template<typename Arrays, typename Visitor>
void forEachArray(Arrays& arrays, Visitor visit)
{
    visit("count", arrays.count);
    visit("non_finite", arrays.nonFinite);
    visit("minimum", arrays.minimum);
    visit("maximum", arrays.maximum);
    visit("sum", arrays.sum);
    visit("sum_of_squares", arrays.squares);
    visit("scale", arrays.scale);
    visit("width", arrays.width);
    visit("first_bin", arrays.firstBin);
    visit("zeros", arrays.zeros);
    visit("bins", arrays.bins);
    visit("bin_count", arrays.binCount);
    if (arrays.form == BinForm::Places) {
        visit("place_sum", arrays.placeSum);
        visit("place_squares", arrays.placeSquares);
    } else {
        visit("bin_sum", arrays.binSum);
        visit("bin_squares", arrays.binSquares);
    }
}

/// The same for what is known of samples.
template<typename Arrays, typename Visitor>
void forEachSampleArray(Arrays& arrays, Visitor visit)
{
    visit("lowest_sample", arrays.lowestSample);
    visit("lowest_minimum", arrays.lowestMinimum);
    visit("lowest_maximum", arrays.lowestMaximum);
    visit("highest_sample", arrays.highestSample);
    visit("highest_minimum", arrays.highestMinimum);
    visit("highest_maximum", arrays.highestMaximum);
    visit("span_samples", arrays.spanSamples);
    visit("span_minimum", arrays.spanMinimum);
    visit("span_maximum", arrays.spanMaximum);
    visit("span_values", arrays.spanValues);
}

CalibrationArrays readSite(const Hdf5File& file, const std::string& group, const std::string& path)
{
    CalibrationArrays arrays;
    arrays.name = file.readString(group, "name");
    const std::string subject = path + ": site '" + arrays.name + "'";
    const std::string axis = file.readString(group, "axis");
    const std::string form = file.readString(group, "bin_form");
    if ((axis != "channel" && axis != "head") || (form != "places" && form != "sums")) {
        throw Error(
            ErrorCode::CorruptFile, subject + " has the axis '" + axis + "' and bins as '" + form + "'");
    }
    arrays.axis = axis == "channel" ? GroupAxis::Channel : GroupAxis::Head;
    arrays.form = form == "places" ? BinForm::Places : BinForm::Sums;
    const auto visit
        = [&](const char* name, auto& values) { read(file, group + "/" + name, subject, values); };
    forEachArray(arrays, visit);
    if (file.exists(group + "/span_samples")) {
        forEachSampleArray(arrays, visit);
    }
    return arrays;
}

void checkHead(const Hdf5File& file, const std::string& path)
{
    if (!file.hasAttribute("/", "format") || file.readString("/", "format") != kFormat) {
        throw Error(ErrorCode::CorruptFile, path + " is no calibration file");
    }
    const std::int64_t version = file.readInteger("/", "version");
    if (version < 1 || version > kVersion) {
        throw Error(ErrorCode::Unsupported,
            path + " is a calibration file of version " + std::to_string(version) + ", versions 1 to "
                + std::to_string(kVersion) + " are read");
    }
}

} // namespace

void writeCalibration(Hdf5File& file, const std::string& root, const Calibration& calibration)
{
    std::vector<CalibrationArrays> sites;
    for (const auto& entry : calibration.sites) {
        sites.push_back(flattened(*entry.second));
        sites.back().name = entry.first;
    }
    const std::string prefix = prefixOf(root);
    if (!prefix.empty()) {
        file.makeGroup(root);
    }
    file.writeString(root, "model_hash", calibration.modelHash);
    file.writeString(root, "data_hash", calibration.dataHash);
    if (!calibration.dataPreparation.empty()) {
        file.writeString(root, "data_preparation", calibration.dataPreparation);
    }
    file.writeInteger(root, "sample_count", calibration.sampleCount);
    file.writeString(root, "content_hash", contentHash(calibration, sites));
    file.makeGroup(prefix + "/sites");
    for (std::size_t i = 0; i < sites.size(); ++i) {
        const std::string group = prefix + groupOf(i);
        file.makeGroup(group);
        file.writeString(group, "name", sites[i].name);
        file.writeString(group, "axis", sites[i].axis == GroupAxis::Channel ? "channel" : "head");
        file.writeString(group, "bin_form", sites[i].form == BinForm::Places ? "places" : "sums");
        const CalibrationArrays& arrays = sites[i];
        const auto visit
            = [&](const char* name, const auto& values) { write(file, group + "/" + name, values); };
        forEachArray(arrays, visit);
        if (arrays.hasSamples()) {
            forEachSampleArray(arrays, visit);
        }
    }
}

std::shared_ptr<const Calibration> readCalibration(
    const Hdf5File& file, const std::string& root, const std::string& name)
{
    auto calibration = std::make_shared<Calibration>();
    calibration->modelHash = file.readString(root, "model_hash");
    calibration->dataHash = file.readString(root, "data_hash");
    if (file.hasAttribute(root, "data_preparation")) {
        calibration->dataPreparation = file.readString(root, "data_preparation");
    }
    calibration->sampleCount = file.readInteger(root, "sample_count");
    if (calibration->sampleCount < 0) {
        throw Error(ErrorCode::CorruptFile,
            name + " states " + std::to_string(calibration->sampleCount) + " samples");
    }
    std::vector<CalibrationArrays> sites;
    const std::string parent = prefixOf(root) + "/sites";
    const std::vector<std::string> groups = file.children(parent);
    for (std::size_t i = 0; i < groups.size(); ++i) {
        sites.push_back(readSite(file, parent + "/" + groups[i], name));
        if (i > 0 && sites[i - 1].name >= sites[i].name) {
            throw Error(ErrorCode::CorruptFile,
                name + ": site '" + sites[i].name + "' stands behind '" + sites[i - 1].name + "'");
        }
    }
    if (file.readString(root, "content_hash") != contentHash(*calibration, sites)) {
        throw Error(
            ErrorCode::CorruptFile, name + " is damaged: its content does not have the hash it states");
    }
    for (const CalibrationArrays& site : sites) {
        calibration->sites[site.name] = restored(site, name + ": site '" + site.name + "'");
    }
    return calibration;
}

void saveCalibration(const Calibration& calibration, const std::filesystem::path& path)
{
    AtomicFile atomic(path);
    Hdf5File file = Hdf5File::create(atomic.temporaryPath());
    file.writeString("/", "format", kFormat);
    file.writeInteger("/", "version", kVersion);
    writeCalibration(file, "/", calibration);
    file.close();
    atomic.commit();
}

std::shared_ptr<const Calibration> loadCalibration(const std::filesystem::path& path)
{
    const Hdf5File file = Hdf5File::openForReading(path);
    const std::string name = path.filename().string();
    checkHead(file, name);
    return readCalibration(file, "/", name);
}

} // namespace qs
