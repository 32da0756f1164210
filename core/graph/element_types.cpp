#include "core/graph/element_types.h"

#include "core/graph/graph_queries.h"

#include <array>
#include <utility>

namespace qs {

namespace {

/// TensorProto.DataType, as attribute "to" of Cast has it.
std::optional<DType> typeOfOnnxNumber(std::int64_t number)
{
    constexpr std::array<std::pair<std::int64_t, DType>, 13> kTypes {{{1, DType::F32}, {2, DType::U8},
        {3, DType::I8}, {4, DType::U16}, {5, DType::I16}, {6, DType::I32}, {7, DType::I64}, {9, DType::Bool},
        {10, DType::F16}, {11, DType::F64}, {12, DType::U32}, {13, DType::U64}, {16, DType::BF16}}};
    for (const auto& [known, type] : kTypes) {
        if (known == number) {
            return type;
        }
    }
    return std::nullopt;
}

std::optional<DType> typeOfOutput(
    const Node& node, std::size_t output, const std::vector<std::optional<DType>>& types)
{
    const auto input = [&](std::size_t index) -> std::optional<DType> {
        const ValueId value = index < node.inputs.size() ? node.inputs[index] : kNoValue;
        return value == kNoValue ? std::nullopt : types[static_cast<std::size_t>(value)];
    };
    if (isOneOf(node.op,
            {"Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or", "Not", "Xor", "IsNaN",
                "IsInf"})) {
        return DType::Bool;
    }
    if (isOneOf(node.op, {"Shape", "Size", "NonZero", "ArgMax", "ArgMin"})) {
        return DType::I64;
    }
    if (node.op == "Cast") {
        return typeOfOnnxNumber(node.intAttribute("to", 0));
    }
    if (isOneOf(node.op, {"Where", "CastLike"})) {
        return input(1);
    }
    if (node.op == "ConstantOfShape") {
        const auto value = node.attributes.find("value");
        const Tensor* tensor = value == node.attributes.end() ? nullptr : std::get_if<Tensor>(&value->second);
        return tensor == nullptr ? DType::F32 : tensor->dtype();
    }
    if (isOneOf(node.op, {"MatMulInteger", "ConvInteger"})) {
        return DType::I32;
    }
    if (node.op == "DynamicQuantizeLinear") {
        return output == 1 ? DType::F32 : DType::U8;
    }
    if (node.op == "QuantizeLinear") {
        return node.inputs.size() > 2 ? input(2) : DType::U8;
    }
    if (node.op == "DequantizeLinear") {
        return input(1);
    }
    if (output == 0
        && isOneOf(node.op,
            {"Abs", "Add", "Ceil", "Clip", "Concat", "Conv", "Cos", "CumSum", "Div", "Dropout", "Einsum",
                "Elu", "Erf", "Exp", "Expand", "Flatten", "Floor", "Gather", "GatherElements", "GatherND",
                "Gelu", "Gemm", "HardSigmoid", "HardSwish", "Identity", "LayerNormalization", "LeakyRelu",
                "Linear", "Log", "LogSoftmax", "MatMul", "Max", "Min", "Mod", "Mul", "Neg", "Pad", "Pow",
                "RMSNormalization", "Range", "Reciprocal", "ReduceMax", "ReduceMean", "ReduceMin",
                "ReduceSum", "Relu", "Reshape", "RotaryEmbedding", "Round", "ScatterElements", "ScatterND",
                "Sigmoid", "Sign", "Sin", "Slice", "Softmax", "Softplus", "Split", "Sqrt", "Squeeze", "Sub",
                "Sum", "Swish", "Tanh", "Tile", "Transpose", "Trilu", "Unsqueeze"})) {
        return input(0);
    }
    return node.op == "Split" ? input(0) : std::nullopt;
}

} // namespace

std::vector<std::optional<DType>> elementTypes(const Graph& graph)
{
    std::vector<std::optional<DType>> types(graph.values().size());
    for (std::size_t i = 0; i < types.size(); ++i) {
        const Value& value = graph.values()[i];
        if (value.producer == kNoNode) {
            types[i] = value.dtype;
        }
    }
    for (const Node& node : graph.nodes()) {
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            types[static_cast<std::size_t>(node.outputs[i])] = typeOfOutput(node, i, types);
        }
    }
    return types;
}

} // namespace qs
