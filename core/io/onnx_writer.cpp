#include "core/io/onnx_writer.h"

#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/io/onnx_tensor.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <onnx/onnx_pb.h>

#include <fstream>
#include <limits>
#include <type_traits>

namespace qs {

namespace {

void writeAttribute(const std::string& name, const Attribute& value, onnx::AttributeProto& out)
{
    out.set_name(name);
    std::visit(
        [&](const auto& content) {
            using Content = std::decay_t<decltype(content)>;
            if constexpr (std::is_same_v<Content, std::int64_t>) {
                out.set_type(onnx::AttributeProto::INT);
                out.set_i(content);
            } else if constexpr (std::is_same_v<Content, double>) {
                out.set_type(onnx::AttributeProto::FLOAT);
                out.set_f(static_cast<float>(content));
            } else if constexpr (std::is_same_v<Content, std::string>) {
                out.set_type(onnx::AttributeProto::STRING);
                out.set_s(content);
            } else if constexpr (std::is_same_v<Content, std::vector<std::int64_t>>) {
                out.set_type(onnx::AttributeProto::INTS);
                out.mutable_ints()->Add(content.begin(), content.end());
            } else if constexpr (std::is_same_v<Content, std::vector<double>>) {
                out.set_type(onnx::AttributeProto::FLOATS);
                for (const double number : content) {
                    out.add_floats(static_cast<float>(number));
                }
            } else {
                out.set_type(onnx::AttributeProto::TENSOR);
                tensorToOnnx(content, "", *out.mutable_t());
            }
        },
        value);
}

void writeValueInfo(const Value& value, onnx::ValueInfoProto& out)
{
    out.set_name(value.name);
    auto* type = out.mutable_type()->mutable_tensor_type();
    const bool widened = value.dtype == DType::F16 || value.dtype == DType::BF16;
    type->set_elem_type(onnxTypeOf(widened ? DType::F32 : value.dtype));
    if (!value.dimsKnown) {
        return;
    }
    auto* shape = type->mutable_shape();
    for (std::size_t axis = 0; axis < value.dims.size(); ++axis) {
        auto* dim = shape->add_dim();
        if (value.dims[axis] >= 0) {
            dim->set_dim_value(value.dims[axis]);
        } else {
            dim->set_dim_param(axis == 0 ? "batch" : value.name + ".dim" + std::to_string(axis));
        }
    }
}

void requireStandard(const Node& node, const OnnxDescription& description)
{
    const bool ours = node.op == "Linear" || (node.op == "Gelu" && description.opset < 20);
    if (ours || node.op.find('.') != std::string::npos) {
        throw Error(ErrorCode::Unsupported,
            "node '" + node.name + "' is a " + node.op + ", which ONNX opset "
                + std::to_string(description.opset) + " does not have");
    }
}

void writeNode(const Graph& graph, const Node& node, onnx::NodeProto& out)
{
    out.set_op_type(node.op);
    out.set_name(node.name);
    for (const ValueId input : node.inputs) {
        out.add_input(input == kNoValue ? std::string() : graph.value(input).name);
    }
    for (const ValueId output : node.outputs) {
        out.add_output(graph.value(output).name);
    }
    for (const auto& [name, attribute] : node.attributes) {
        writeAttribute(name, attribute, *out.add_attribute());
    }
}

void writeGraph(const Graph& graph, const OnnxDescription& description, onnx::GraphProto& out)
{
    out.set_name(description.graphName);
    for (const Node& node : graph.nodes()) {
        requireStandard(node, description);
        writeNode(graph, node, *out.add_node());
    }
    for (const Value& value : graph.values()) {
        if (value.isConstant()) {
            const bool widened = value.dtype == DType::F16 || value.dtype == DType::BF16;
            tensorToOnnx(
                widened ? value.constant.toF32() : value.constant, value.name, *out.add_initializer());
        }
    }
    for (const ValueId input : graph.inputs()) {
        writeValueInfo(graph.value(input), *out.add_input());
    }
    for (const ValueId output : graph.outputs()) {
        writeValueInfo(graph.value(output), *out.add_output());
    }
}

/// Bytes of all constants, before protobuf, which counts in int, is asked.
void requireProtobufSize(std::uint64_t bytes, const std::filesystem::path& file)
{
    constexpr auto kLimit = static_cast<std::uint64_t>(std::numeric_limits<int>::max());
    if (bytes > kLimit) {
        throw Error(ErrorCode::Unsupported,
            "'" + file.string() + "' would have " + std::to_string(bytes)
                + " bytes, an ONNX file without external data " + "holds at most " + std::to_string(kLimit));
    }
}

void serialise(const onnx::ModelProto& model, const std::filesystem::path& file)
{
    AtomicFile atomic(file);
    std::ofstream stream(atomic.temporaryPath(), std::ios::binary | std::ios::trunc);
    bool good = false;
    {
        google::protobuf::io::OstreamOutputStream output(&stream);
        google::protobuf::io::CodedOutputStream coded(&output);
        coded.SetSerializationDeterministic(true);
        good = model.SerializeToCodedStream(&coded);
    }
    stream.close();
    if (!good || !stream) {
        throw Error(ErrorCode::Io, "cannot write '" + file.string() + "': the disk refused");
    }
    atomic.commit();
}

} // namespace

void writeOnnxFile(const Graph& graph, const OnnxDescription& description, const std::filesystem::path& file)
{
    std::uint64_t constants = 0;
    for (const Value& value : graph.values()) {
        constants += value.isConstant() ? value.constant.byteCount() : 0;
    }
    requireProtobufSize(constants, file);

    onnx::ModelProto model;
    model.set_ir_version(description.irVersion);
    model.set_producer_name("quantoscope");
    model.set_producer_version(description.producerVersion);
    model.add_opset_import()->set_version(description.opset);
    for (const auto& [key, text] : description.metadata) {
        auto* entry = model.add_metadata_props();
        entry->set_key(key);
        entry->set_value(text);
    }
    writeGraph(graph, description, *model.mutable_graph());
    requireProtobufSize(model.ByteSizeLong(), file);
    serialise(model, file);
}

} // namespace qs
