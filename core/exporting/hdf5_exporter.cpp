#include "core/exporting/hdf5_exporter.h"

#include "core/base/atomic_file.h"
#include "core/eval/plan_applier.h"
#include "core/exporting/run_model.h"
#include "core/io/graph_json.h"
#include "core/io/hdf5_file.h"
#include "core/io/plan_json.h"
#include "core/models/preprocessing_json.h"
#include "core/models/quantized_model.h"
#include "core/models/quantized_model_layout.h"
#include "core/quant/fake_quantizer.h"

#include <map>

namespace qs {

namespace {

template<typename T>
Tensor narrowed(const Shape& shape, const std::vector<std::int32_t>& codes)
{
    Tensor result(DTypeOf<T>::value, shape);
    const auto out = result.mutableData<T>();
    for (std::size_t i = 0; i < codes.size(); ++i) {
        out[i] = static_cast<T>(codes[i]);
    }
    return result;
}

/// Codes in the smallest integer type that holds every code of the quantizer.
Tensor codesTensor(const Shape& shape, const std::vector<std::int32_t>& codes, const QuantParams& params)
{
    const bool isUnsigned = params.minimumCode() >= 0;
    if (params.bits <= 8) {
        return isUnsigned ? narrowed<std::uint8_t>(shape, codes) : narrowed<std::int8_t>(shape, codes);
    }
    return isUnsigned ? narrowed<std::uint16_t>(shape, codes) : narrowed<std::int16_t>(shape, codes);
}

void writeWeight(Hdf5File& file, const Site& site, const Value& value, const QuantParams& params)
{
    const std::string group = "/weights/" + hdf5LinkName(value.name);
    const auto count = static_cast<std::int64_t>(params.scales.size());
    file.makeGroup(group);
    file.writeTensor(group + "/codes",
        codesTensor(value.constant.shape(), weightCodes(value.constant.toF32(), params, site.weightAxis), params),
        Compression::Deflate);
    file.writeTensor(
        group + "/scales", Tensor::of<float>(Shape {count}, std::span<const float>(params.scales)));
    file.writeTensor(group + "/zero_points",
        Tensor::of<std::int32_t>(Shape {count}, std::span<const std::int32_t>(params.zeroPoints)));
    file.writeString(group, "site", site.name);
    file.writeString(group, "symmetry", std::string(nameOf(params.symmetry)));
    file.writeInteger(group, "bits", params.bits);
    file.writeInteger(group, "channel_axis", site.weightAxis);
}

/// A constant that stays as it is: floats as float32, truth values as bytes.
void writeConstant(Hdf5File& file, const Value& value)
{
    const std::string dataset = "/constants/" + hdf5LinkName(value.name);
    const DType type = value.constant.dtype();
    Tensor stored = value.constant;
    if (type == DType::F16 || type == DType::BF16) {
        stored = stored.toF32();
    } else if (type == DType::Bool) {
        const auto owner = std::make_shared<const Tensor>(stored);
        stored = Tensor(DType::U8, stored.shape(), owner, std::span(owner->bytes(), owner->byteCount()));
    }
    file.writeTensor(dataset, stored);
    file.writeString(dataset, "dtype", std::string(nameOf(type == DType::Bool ? type : stored.dtype())));
}

void writeAll(Hdf5File& file, const ExportInput& input, const TaskContext& context)
{
    const Model& model = *input.model;
    std::map<ValueId, const Site*> quantized;
    for (const Site& site : model.sites) {
        if (site.kind == SiteKind::Weight && input.quantizers.contains(site.name)) {
            quantized[site.value] = &site;
        }
    }
    file.writeString("/", "format", quantized_model_layout::kFormat);
    file.writeInteger("/", "version", quantized_model_layout::kVersion);
    for (const char* group : {"/config", "/provenance", "/weights", "/constants"}) {
        file.makeGroup(group);
    }
    file.writeString("/config", "name", model.name);
    file.writeString("/config", "preprocessing", preprocessingToJson(model.preprocessing));
    file.writeString("/provenance", "model_sha256", model.hash);
    file.writeString("/provenance", "calibration_sha256", input.calibrationHash);
    file.writeString("/provenance", "tool_version", input.toolVersion);
    file.writeText("/graph", graphToJson(*model.graph));
    file.writeText("/plan", planToJson(input.plan));
    file.writeText("/quantizers", quantizersToJson(input.quantizers));
    const auto& values = model.graph->values();
    for (std::size_t i = 0; i < values.size(); ++i) {
        context.throwIfCancelled();
        context.report("writing", static_cast<std::int64_t>(i), static_cast<std::int64_t>(values.size()));
        if (!values[i].isConstant()) {
            continue;
        }
        if (const auto site = quantized.find(static_cast<ValueId>(i)); site != quantized.end()) {
            writeWeight(file, *site->second, values[i], input.quantizers.at(site->second->name));
        } else {
            writeConstant(file, values[i]);
        }
    }
}

} // namespace

std::string Hdf5Exporter::description() const
{
    return "HDF5 with integer codes, scales, zero points, graph and plan, 2 to 16 bits: opens again here";
}

std::vector<LintFinding> Hdf5Exporter::lint(const ExportInput& input) const
{
    std::vector<LintFinding> findings;
    const auto refuse = [&](const std::string& site, const std::string& problem) {
        findings.push_back({LintFinding::Severity::Error, site, "site '" + site + "' " + problem});
    };
    for (const auto& [name, params] : input.quantizers) {
        const int index = indexOfSite(input.model->sites, name);
        if (index < 0) {
            refuse(name, "is not in the model");
            continue;
        }
        const Site& site = input.model->sites[static_cast<std::size_t>(index)];
        if (params.scales.size() != 1 && static_cast<std::int64_t>(params.scales.size()) != site.groups) {
            refuse(name,
                "has " + std::to_string(params.scales.size()) + " scales for " + std::to_string(site.groups)
                    + " groups");
        } else if (!params.zeroPointFractions.empty()) {
            refuse(name, "has a fractional zero point, as the published RepQ-ViT code leaves it");
        } else if (site.kind == SiteKind::Weight && params.kind != QuantizerKind::Uniform) {
            refuse(name, "is a weight with a logarithmic quantizer, whose codes lose the sign");
        }
    }
    return findings;
}

void Hdf5Exporter::write(
    const ExportInput& input, const std::filesystem::path& file, const TaskContext& context) const
{
    requireNoLintErrors(*this, input);
    AtomicFile atomic(file);
    Hdf5File target = Hdf5File::create(atomic.temporaryPath());
    writeAll(target, input, context);
    target.close();
    atomic.commit();
}

Tensor Hdf5Exporter::runFile(
    const std::filesystem::path& file, const Tensor& samples, const TaskContext& context) const
{
    const QuantizedModel quantized = readQuantizedModel(file);
    Executor executor(quantized.model);
    PlanApplier(executor).apply(quantized.activations);
    return runModel(executor, samples, context);
}

} // namespace qs
