#include "core/io/onnx_reader.h"

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/io/onnx_graph_converter.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/stubs/logging.h>
#include <onnx/onnx_pb.h>

#include <limits>
#include <utility>

namespace qs {

namespace {

constexpr std::int64_t kNewestIr = 13;
constexpr std::int64_t kNewestOpset = 25; // later ones may change what operators mean

/// The parsed message; its own sentence instead of protobuf's line on standard error.
onnx::ModelProto parse(const std::filesystem::path& path)
{
    const auto file = MappedFile::open(path);
    const auto bytes = file->bytes();
    if (bytes.empty()) {
        throw Error(ErrorCode::CorruptFile, "the file is empty");
    }
    if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        throw Error(ErrorCode::Unsupported,
            "the file has " + std::to_string(bytes.size()) + " bytes, protobuf's limit is 2147483647");
    }
    const google::protobuf::LogSilencer silence;
    google::protobuf::io::CodedInputStream stream(
        reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
    onnx::ModelProto model;
    if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
        throw Error(ErrorCode::CorruptFile,
            "its " + std::to_string(bytes.size()) + " bytes are no ONNX model, or a truncated one");
    }
    return model;
}

OnnxFile read(const std::filesystem::path& path)
{
    onnx::ModelProto model = parse(path);
    if (model.ir_version() > kNewestIr) {
        throw Error(ErrorCode::Unsupported,
            "its IR version is " + std::to_string(model.ir_version()) + ", this program knows up to "
                + std::to_string(kNewestIr));
    }
    OnnxFile result;
    OnnxGraphConverter converter(model, path.parent_path());
    if (converter.opset() > kNewestOpset) {
        throw Error(ErrorCode::Unsupported,
            "its operator set is number " + std::to_string(converter.opset()) + ", this program knows up to "
                + std::to_string(kNewestOpset));
    }
    result.graph = converter.convert();
    result.irVersion = model.ir_version();
    result.opset = converter.opset();
    result.producer = model.producer_name();
    for (const auto& entry : model.metadata_props()) {
        result.metadata[entry.key()] = entry.value();
    }
    return result;
}

} // namespace

OnnxFile readOnnxFile(const std::filesystem::path& path)
{
    try {
        return read(path);
    } catch (const Error& error) {
        if (error.code() == ErrorCode::Io) {
            throw;
        }
        throw Error(error.code(), "cannot read '" + path.string() + "': " + plainSentence(error.what()));
    }
}

} // namespace qs
