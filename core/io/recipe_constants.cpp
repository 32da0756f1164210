#include "core/io/recipe_constants.h"

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/io/hdf5_file.h"
#include "core/quant/fake_quantizer.h"

#include <cstring>

namespace qs {

namespace {

constexpr const char* kFormat = "quantoscope-constants";
constexpr std::int64_t kVersion = 1;

/// The quantizer whose codes give the weight bit for bit; null when there is none.
const QuantParams* gridOf(const RewrittenConstant& constant, const ResolvedPlan& quantizers)
{
    const auto found = quantizers.find(constant.site);
    if (constant.site.empty() || found == quantizers.end() || found->second.kind != QuantizerKind::Uniform
        || found->second.bits > 8 || !found->second.zeroPointFractions.empty()) {
        return nullptr;
    }
    const Tensor again = fakeQuantizedWeight(constant.values, found->second, constant.channelAxis);
    const bool isSame = std::memcmp(again.bytes(), constant.values.bytes(), again.byteCount()) == 0;
    return isSame ? &found->second : nullptr;
}

template<typename Code>
Tensor narrowCodes(const Shape& shape, const std::vector<std::int32_t>& codes)
{
    Tensor result(DTypeOf<Code>::value, shape);
    const auto values = result.mutableData<Code>();
    for (std::size_t i = 0; i < codes.size(); ++i) {
        values[i] = static_cast<Code>(codes[i]);
    }
    return result;
}

template<typename Code>
Tensor dequantized(const Tensor& codes, const QuantParams& params, int axis)
{
    Tensor result(DType::F32, codes.shape());
    const auto in = codes.data<Code>();
    const auto out = result.template mutableData<float>();
    const std::int64_t inner
        = codes.shape().product(static_cast<std::size_t>(axis) + 1, codes.shape().rank());
    const std::int64_t channels = codes.shape()[static_cast<std::size_t>(axis)];
    for (std::size_t i = 0; i < in.size(); ++i) {
        const std::size_t index = params.index(static_cast<std::int64_t>(i) / inner % channels);
        out[i] = static_cast<float>(in[i] - params.zeroPoints[index]) * params.scales[index];
    }
    return result;
}

/// Tensors of a weight from its codes and its quantizer in the recipe.
RewrittenConstant readCodes(const Hdf5File& file, const std::string& dataset, const ResolvedPlan& quantizers,
    const std::string& subject)
{
    RewrittenConstant constant;
    constant.site = file.readString(dataset, "site");
    constant.channelAxis = static_cast<int>(file.readInteger(dataset, "channel_axis"));
    const auto found = quantizers.find(constant.site);
    if (found == quantizers.end()) {
        throw Error(ErrorCode::CorruptFile,
            subject + " holds codes of the site '" + plainSentence(constant.site)
                + "', for which the recipe has no " + "quantizer");
    }
    const Tensor codes = file.readTensor(dataset);
    const auto rank = static_cast<int>(codes.shape().rank());
    if (constant.channelAxis < 0 || constant.channelAxis >= rank) {
        throw Error(ErrorCode::CorruptFile, subject + " names an axis that the codes do not have");
    }
    const auto scales = static_cast<std::int64_t>(found->second.scales.size());
    if (scales != 1 && scales != codes.shape()[static_cast<std::size_t>(constant.channelAxis)]) {
        throw Error(ErrorCode::CorruptFile,
            subject + " has codes of shape " + codes.shape().text() + " for " + std::to_string(scales)
                + " scales");
    }
    if (codes.dtype() == DType::U8) {
        constant.values = dequantized<std::uint8_t>(codes, found->second, constant.channelAxis);
    } else if (codes.dtype() == DType::I8) {
        constant.values = dequantized<std::int8_t>(codes, found->second, constant.channelAxis);
    } else {
        throw Error(ErrorCode::CorruptFile, subject + " holds codes that are not 8-bit integers");
    }
    return constant;
}

} // namespace

void writeConstants(Hdf5File& file, const std::string& group,
    const std::map<std::string, RewrittenConstant>& constants, const ResolvedPlan& quantizers)
{
    file.makeGroup(group + "/codes");
    file.makeGroup(group + "/values");
    std::int64_t number = 0;
    for (const auto& [name, constant] : constants) {
        const QuantParams* grid = gridOf(constant, quantizers);
        const std::string dataset
            = group + (grid != nullptr ? "/codes/" : "/values/") + std::to_string(number++);
        if (grid != nullptr) {
            const auto codes = weightCodes(constant.values, *grid, constant.channelAxis);
            const Shape& shape = constant.values.shape();
            file.writeTensor(dataset,
                grid->minimumCode() < 0 ? narrowCodes<std::int8_t>(shape, codes)
                                        : narrowCodes<std::uint8_t>(shape, codes),
                Compression::Deflate);
        } else {
            file.writeTensor(dataset, constant.values, Compression::Deflate);
        }
        file.writeString(dataset, "name", name);
        file.writeString(dataset, "site", constant.site);
        file.writeInteger(dataset, "channel_axis", constant.channelAxis);
    }
}

std::map<std::string, RewrittenConstant> readConstants(const Hdf5File& file, const std::string& group,
    const ResolvedPlan& quantizers, const std::string& subject)
{
    std::map<std::string, RewrittenConstant> constants;
    for (const std::string& child : file.children(group + "/codes")) {
        const std::string dataset = group + "/codes/" + child;
        constants[file.readString(dataset, "name")]
            = readCodes(file, dataset, quantizers, subject + ", dataset " + dataset + ",");
    }
    for (const std::string& child : file.children(group + "/values")) {
        const std::string dataset = group + "/values/" + child;
        RewrittenConstant constant;
        constant.site = file.readString(dataset, "site");
        constant.channelAxis = static_cast<int>(file.readInteger(dataset, "channel_axis"));
        constant.values = file.readTensor(dataset);
        if (constant.values.dtype() != DType::F32) {
            throw Error(ErrorCode::CorruptFile, subject + ", dataset " + dataset + ", is not float32");
        }
        constants[file.readString(dataset, "name")] = std::move(constant);
    }
    return constants;
}

void writeRecipeConstants(const std::map<std::string, RewrittenConstant>& constants,
    const ResolvedPlan& quantizers, const std::filesystem::path& path)
{
    AtomicFile atomic(path);
    Hdf5File file = Hdf5File::create(atomic.temporaryPath());
    file.writeString("/", "format", kFormat);
    file.writeInteger("/", "version", kVersion);
    writeConstants(file, "", constants, quantizers);
    file.close();
    atomic.commit();
}

std::map<std::string, RewrittenConstant> readRecipeConstants(
    const ResolvedPlan& quantizers, const std::filesystem::path& path)
{
    const Hdf5File file = Hdf5File::openForReading(path);
    const std::string subject = "'" + path.string() + "'";
    if (file.readString("/", "format") != kFormat) {
        throw Error(ErrorCode::CorruptFile, subject + " does not hold constants of a recipe");
    }
    if (file.readInteger("/", "version") != kVersion) {
        throw Error(ErrorCode::Unsupported, subject + " has a version that this program does not read");
    }
    return readConstants(file, "", quantizers, subject);
}

} // namespace qs
