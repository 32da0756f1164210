#include "core/models/quantized_model.h"

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/io/graph_json.h"
#include "core/io/hdf5_file.h"
#include "core/io/plan_json.h"
#include "core/models/model_task.h"
#include "core/models/preprocessing_json.h"
#include "core/models/quantized_model_layout.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace qs {

namespace {

using namespace quantized_model_layout;

void requireFormat(const Hdf5File& file)
{
    const std::string format = file.readString("/", "format");
    if (format != kFormat) {
        throw Error(ErrorCode::CorruptFile, "its format is '" + format + "', not '" + kFormat + "'");
    }
    const std::int64_t version = file.readInteger("/", "version");
    if (version != kVersion) {
        throw Error(ErrorCode::Unsupported,
            "its version is " + std::to_string(version) + ", this program reads " + std::to_string(kVersion));
    }
}

/// Codes as int32, whatever integer type they are stored in.
std::vector<std::int32_t> integers(const Tensor& tensor, const std::string& where)
{
    const DType type = tensor.dtype();
    if (type != DType::I8 && type != DType::U8 && type != DType::I16 && type != DType::U16
        && type != DType::I32) {
        throw Error(
            ErrorCode::CorruptFile, "'" + where + "' holds " + std::string(nameOf(type)) + ", no codes");
    }
    std::vector<std::int32_t> result(static_cast<std::size_t>(tensor.elementCount()));
    if (type == DType::I32) {
        std::ranges::copy(tensor.data<std::int32_t>(), result.begin());
        return result;
    }
    const Tensor floats = tensor.toF32(); // at most 16 bits: exact
    std::ranges::transform(
        floats.data<float>(), result.begin(), [](float value) { return static_cast<std::int32_t>(value); });
    return result;
}

/// One weight group of the file as the float tensor (code - zero point) * scale, in float32.
Tensor dequantized(const Hdf5File& file, const std::string& group)
{
    const Tensor stored = file.readTensor(group + "/codes");
    const Tensor scaleTensor = file.readTensor(group + "/scales").toF32();
    const auto scales = scaleTensor.data<float>();
    const auto zeroPoints = integers(file.readTensor(group + "/zero_points"), group + "/zero_points");
    const std::int64_t axis = file.readInteger(group, "channel_axis");
    const auto rank = static_cast<std::int64_t>(stored.shape().rank());
    if (axis < 0 || axis >= rank) {
        throw Error(ErrorCode::CorruptFile,
            "'" + group + "' has the channel axis " + std::to_string(axis) + " and rank "
                + std::to_string(rank));
    }
    const std::int64_t channels = stored.shape()[static_cast<std::size_t>(axis)];
    const auto count = static_cast<std::int64_t>(scales.size());
    if ((count != 1 && count != channels) || zeroPoints.size() != scales.size()) {
        throw Error(ErrorCode::CorruptFile,
            "'" + group + "' has " + std::to_string(count) + " scales and "
                + std::to_string(zeroPoints.size()) + " zero points for " + std::to_string(channels)
                + " channels");
    }
    if (!std::ranges::all_of(scales, [](float scale) { return std::isfinite(scale) && scale > 0.0F; })) {
        throw Error(ErrorCode::CorruptFile, "'" + group + "/scales' holds a number that is no step");
    }
    const auto codes = integers(stored, group + "/codes");
    const std::int64_t inner
        = stored.shape().product(static_cast<std::size_t>(axis) + 1, static_cast<std::size_t>(rank));
    Tensor result(DType::F32, stored.shape());
    const auto out = result.mutableData<float>();
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto channel = count == 1
            ? std::size_t {0}
            : static_cast<std::size_t>(static_cast<std::int64_t>(i) / inner % channels);
        const auto steps = static_cast<std::int64_t>(codes[i]) - zeroPoints[channel];
        out[i] = static_cast<float>(steps) * scales[channel];
    }
    return result;
}

Tensor readConstant(const Hdf5File& file, const std::string& name)
{
    const std::string link = hdf5LinkName(name);
    if (file.exists("/weights/" + link)) {
        return dequantized(file, "/weights/" + link);
    }
    const std::string dataset = "/constants/" + link;
    const Tensor stored = file.readTensor(dataset);
    if (stored.dtype() == DType::U8 && file.readString(dataset, "dtype") == nameOf(DType::Bool)) {
        const auto owner = std::make_shared<const Tensor>(stored);
        return {DType::Bool, stored.shape(), owner, std::span(owner->bytes(), owner->byteCount())};
    }
    return stored;
}

/// Splits the quantizers by what they stand on; every one must have its site in the rebuilt graph.
void distribute(const ResolvedPlan& quantizers, QuantizedModel& result)
{
    for (const auto& [name, params] : quantizers) {
        const int index = indexOfSite(result.model->sites, name);
        if (index < 0) {
            throw Error(ErrorCode::CorruptFile, "it quantizes '" + name + "', which its graph does not have");
        }
        const Site& site = result.model->sites[static_cast<std::size_t>(index)];
        if (params.scales.size() != 1 && static_cast<std::int64_t>(params.scales.size()) != site.groups) {
            throw Error(ErrorCode::CorruptFile,
                "site '" + name + "' has " + std::to_string(params.scales.size()) + " scales for "
                    + std::to_string(site.groups) + " groups");
        }
        (site.kind == SiteKind::Weight ? result.weights : result.activations)[name] = params;
    }
}

QuantizedModel read(const std::filesystem::path& path)
{
    const Hdf5File file = Hdf5File::openForReading(path);
    requireFormat(file);
    auto model = std::make_shared<Model>();
    model->path = path;
    model->name = file.readString("/config", "name");
    model->hash = sha256OfFile(path);
    model->graph = graphFromJson(
        file.readText("/graph"), [&](const std::string& name) { return readConstant(file, name); });
    model->sites = findSites(*model->graph);
    model->task = taskOf(*model->graph);
    model->preprocessing = preprocessingFromJson(file.readString("/config", "preprocessing"));

    QuantizedModel result;
    result.model = std::move(model);
    result.plan = planFromJson(file.readText("/plan"));
    distribute(quantizersFromJson(file.readText("/quantizers")), result);
    result.sourceHash = file.readString("/provenance", "model_sha256");
    result.calibrationHash = file.readString("/provenance", "calibration_sha256");
    result.toolVersion = file.readString("/provenance", "tool_version");
    return result;
}

} // namespace

std::string hdf5LinkName(const std::string& name)
{
    std::string link;
    for (const char letter : name) {
        if (letter == '%') {
            link += "%25";
        } else if (letter == '/') {
            link += "%2F";
        } else {
            link += letter;
        }
    }
    const bool dotsAlone = link.find_first_not_of('.') == std::string::npos;
    return dotsAlone ? "%2E" + link.substr(std::min<std::size_t>(link.size(), 1)) : link;
}

QuantizedModel readQuantizedModel(const std::filesystem::path& path)
{
    try {
        return read(path);
    } catch (const Error& error) {
        const std::string sentence = plainSentence(error.what());
        if (error.code() == ErrorCode::Io || sentence.find(path.string()) != std::string::npos) {
            throw Error(error.code(), sentence);
        }
        throw Error(error.code(), "cannot read '" + path.string() + "': " + sentence);
    }
}

} // namespace qs
