#include "core/io/onnx_graph_converter.h"

#include "core/base/error.h"
#include "core/io/onnx_node_order.h"
#include "core/io/onnx_tensor.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <utility>

namespace qs {

namespace {

std::string describe(const onnx::NodeProto& node, const std::string& name)
{
    return "node '" + name + "' (" + node.op_type() + ")";
}

/// -1 where the dimension is symbolic or not given.
std::vector<std::int64_t> dimsOf(const onnx::TensorShapeProto& shape, const std::string& value)
{
    std::vector<std::int64_t> dims;
    for (const auto& dim : shape.dim()) {
        if (dim.has_dim_value() && dim.dim_value() < -1) {
            throw Error(ErrorCode::CorruptFile,
                "value '" + value + "' has the dimension " + std::to_string(dim.dim_value()));
        }
        dims.push_back(dim.has_dim_value() ? dim.dim_value() : -1);
    }
    return dims;
}

bool isDefaultDomain(const std::string& domain)
{
    return domain.empty() || domain == "ai.onnx";
}

} // namespace

OnnxGraphConverter::OnnxGraphConverter(onnx::ModelProto& model, std::filesystem::path folder)
    : m_model(model)
    , m_folder(std::move(folder))
{
    for (const auto& import : model.opset_import()) {
        if (isDefaultDomain(import.domain())) {
            m_opset = import.version();
        }
    }
    if (m_opset < 1) {
        throw Error(ErrorCode::CorruptFile, "the model imports no ONNX operator set");
    }
}

std::shared_ptr<const Graph> OnnxGraphConverter::convert()
{
    if (!m_model.has_graph()) {
        throw Error(ErrorCode::CorruptFile, "the model has no graph");
    }
    if (m_model.graph().sparse_initializer_size() > 0) {
        throw Error(ErrorCode::Unsupported, "the model has sparse initializers");
    }
    for (const auto& info : m_model.graph().value_info()) {
        noteElementType(info.name(), info.type().tensor_type().elem_type());
    }
    addInitializers();
    addInputs();
    for (const int index : executionOrder(m_model.graph())) {
        addNode(*m_model.mutable_graph()->mutable_node(index));
    }
    for (const auto& info : m_model.graph().value_info()) {
        recordShape(info);
    }
    addOutputs();
    return m_builder.build();
}

void OnnxGraphConverter::addInitializers()
{
    for (onnx::TensorProto& proto : *m_model.mutable_graph()->mutable_initializer()) {
        const std::string name = proto.name();
        noteElementType(name, proto.data_type());
        m_values[name] = m_builder.addConstant(name, tensorFromOnnx(proto, m_folder));
    }
}

void OnnxGraphConverter::addInputs()
{
    for (const auto& info : m_model.graph().input()) {
        if (m_values.contains(info.name())) {
            continue; // files older than IR 4 list their initializers here too
        }
        if (!info.type().has_tensor_type()) {
            throw Error(ErrorCode::Unsupported, "input '" + info.name() + "' is no tensor");
        }
        const auto& type = info.type().tensor_type();
        const auto dtype = dtypeFromOnnx(type.elem_type());
        if (!dtype) {
            throw Error(ErrorCode::Unsupported,
                "input '" + info.name() + "' is of type " + onnxTypeName(type.elem_type()));
        }
        noteElementType(info.name(), type.elem_type());
        m_values[info.name()] = type.has_shape()
            ? m_builder.addInput(info.name(), *dtype, dimsOf(type.shape(), info.name()))
            : m_builder.addInput(info.name(), *dtype);
    }
}

void OnnxGraphConverter::addOutputs()
{
    for (const auto& info : m_model.graph().output()) {
        m_builder.addOutput(valueNamed(info.name(), "the graph's output list"));
        recordShape(info);
    }
}

void OnnxGraphConverter::recordShape(const onnx::ValueInfoProto& info)
{
    const auto found = m_values.find(info.name());
    if (found == m_values.end() || !info.type().has_tensor_type() || !info.type().tensor_type().has_shape()
        || m_builder.value(found->second).isConstant()) {
        return;
    }
    const auto& type = info.type().tensor_type();
    m_builder.setDims(found->second, dimsOf(type.shape(), info.name()),
        dtypeFromOnnx(type.elem_type()).value_or(m_builder.value(found->second).dtype));
}

void OnnxGraphConverter::addNode(onnx::NodeProto& proto)
{
    OnnxNodeDraft draft;
    draft.name = uniqueNodeName(proto);
    const std::string where = describe(proto, draft.name);
    const bool standard = isDefaultDomain(proto.domain());
    if (standard && proto.op_type() == "Constant") {
        addConstantNode(proto, draft.name);
        return;
    }
    draft.op = standard ? proto.op_type() : proto.domain() + "." + proto.op_type();
    draft.attributes = attributesOf(proto, draft.name);
    for (const std::string& input : proto.input()) {
        draft.inputs.push_back(input.empty() ? kNoValue : valueNamed(input, where));
    }
    draft.outputs.assign(proto.output().begin(), proto.output().end());
    while (!draft.outputs.empty() && draft.outputs.back().empty()) {
        draft.outputs.pop_back();
    }
    if (draft.outputs.empty()) {
        throw Error(ErrorCode::CorruptFile, where + " has no output");
    }
    if (standard) {
        if (const ValueId softmax = addFlattenedSoftmax(draft, m_opset, m_builder); softmax != kNoValue) {
            nameOutputs(draft.outputs, {softmax});
            return;
        }
        normaliseOpset(draft, m_opset, m_builder);
        noteCodeType(proto, draft);
    }
    const std::vector<std::string> outputs = draft.outputs;
    nameOutputs(outputs,
        m_builder.addNodeWithOutputs(std::move(draft.op), std::move(draft.name), std::move(draft.inputs),
            std::move(draft.outputs), std::move(draft.attributes)));
}

void OnnxGraphConverter::addConstantNode(onnx::NodeProto& proto, const std::string& name)
{
    if (proto.output_size() != 1 || proto.attribute_size() != 1) {
        throw Error(ErrorCode::CorruptFile,
            describe(proto, name) + " has " + std::to_string(proto.output_size()) + " outputs and "
                + std::to_string(proto.attribute_size()) + " attributes, not one of each");
    }
    const std::string& output = proto.output(0);
    if (proto.attribute(0).has_t()) {
        noteElementType(output, proto.attribute(0).t().data_type());
    }
    const Attribute value = attributeFrom(*proto.mutable_attribute(0), describe(proto, name));
    Tensor tensor;
    if (const auto* stored = std::get_if<Tensor>(&value)) {
        tensor = *stored;
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        tensor = Tensor::of<std::int64_t>(Shape {}, {*integer});
    } else if (const auto* real = std::get_if<double>(&value)) {
        tensor = Tensor::of<float>(Shape {}, {static_cast<float>(*real)});
    } else if (const auto* integers = std::get_if<std::vector<std::int64_t>>(&value)) {
        tensor = Tensor::of<std::int64_t>(
            Shape {static_cast<std::int64_t>(integers->size())}, std::span<const std::int64_t>(*integers));
    } else if (const auto* reals = std::get_if<std::vector<double>>(&value)) {
        const std::vector<float> floats(reals->begin(), reals->end());
        tensor = Tensor::of<float>(
            Shape {static_cast<std::int64_t>(floats.size())}, std::span<const float>(floats));
    } else {
        throw Error(ErrorCode::Unsupported, describe(proto, name) + " holds text");
    }
    m_values[output] = m_builder.addConstant(output, std::move(tensor));
}

std::map<std::string, Attribute> OnnxGraphConverter::attributesOf(
    onnx::NodeProto& node, const std::string& name)
{
    std::map<std::string, Attribute> attributes;
    const std::string where = describe(node, name);
    for (onnx::AttributeProto& attribute : *node.mutable_attribute()) {
        attributes[attribute.name()] = attributeFrom(attribute, where);
    }
    return attributes;
}

Attribute OnnxGraphConverter::attributeFrom(onnx::AttributeProto& attribute, const std::string& where)
{
    switch (attribute.type()) {
    case onnx::AttributeProto::INT: return attribute.i();
    case onnx::AttributeProto::FLOAT: return static_cast<double>(attribute.f());
    case onnx::AttributeProto::STRING: return attribute.s();
    case onnx::AttributeProto::INTS:
        return std::vector<std::int64_t>(attribute.ints().begin(), attribute.ints().end());
    case onnx::AttributeProto::FLOATS:
        return std::vector<double>(attribute.floats().begin(), attribute.floats().end());
    case onnx::AttributeProto::TENSOR: return tensorFromOnnx(*attribute.mutable_t(), m_folder);
    case onnx::AttributeProto::GRAPH:
    case onnx::AttributeProto::GRAPHS:
        throw Error(ErrorCode::Unsupported,
            where + " has the subgraph '" + attribute.name() + "'; control flow is not supported");
    default:
        throw Error(ErrorCode::Unsupported,
            "attribute '" + attribute.name() + "' of " + where + " has type number "
                + std::to_string(attribute.type()) + ", which this program does not read");
    }
}

void OnnxGraphConverter::noteElementType(const std::string& value, int dataType)
{
    const auto dtype = dtypeFromOnnx(dataType);
    if (dtype && onnxTypeOf(*dtype) != dataType) {
        m_narrowTypes[value] = dataType;
    }
}

void OnnxGraphConverter::noteCodeType(const onnx::NodeProto& proto, OnnxNodeDraft& draft) const
{
    if (draft.op != "QuantizeLinear" || proto.input_size() < 3 || draft.attributes.contains("output_dtype")) {
        return;
    }
    const auto type = m_narrowTypes.find(proto.input(2));
    if (type != m_narrowTypes.end()) {
        draft.attributes["output_dtype"] = std::int64_t {type->second};
    }
}

ValueId OnnxGraphConverter::valueNamed(const std::string& name, const std::string& where) const
{
    const auto found = m_values.find(name);
    if (found == m_values.end()) {
        throw Error(ErrorCode::CorruptFile, where + " reads '" + name + "', which nothing makes before it");
    }
    return found->second;
}

void OnnxGraphConverter::nameOutputs(
    const std::vector<std::string>& names, const std::vector<ValueId>& values)
{
    for (std::size_t i = 0; i < names.size() && i < values.size(); ++i) {
        if (!names[i].empty()) {
            m_values[names[i]] = values[i];
        }
    }
}

std::string OnnxGraphConverter::uniqueNodeName(const onnx::NodeProto& node)
{
    std::string name = node.name();
    name.erase(0, std::min(name.find_first_not_of('/'), name.size()));
    std::ranges::replace(name, '/', '.');
    if (name.empty()) {
        name = node.op_type();
    }
    std::string candidate = name;
    int& repetitions = m_repetitions[name];
    while (!m_nodeNames.insert(candidate).second) {
        candidate = name + "." + std::to_string(++repetitions);
    }
    return candidate;
}

} // namespace qs
