#include "core/io/onnx_opset.h"

#include "core/base/error.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace qs {

namespace {

/// An attribute that a later opset turned into an input.
struct MovedAttribute
{
    std::string_view op;
    std::string_view attribute;
    std::size_t input; ///< its position since
    std::int64_t since; ///< opset that made it an input
};

constexpr std::array kMoved {
    MovedAttribute {"Squeeze", "axes", 1, 13},
    MovedAttribute {"Unsqueeze", "axes", 1, 13},
    MovedAttribute {"ReduceSum", "axes", 1, 13},
    MovedAttribute {"Split", "split", 1, 13},
    MovedAttribute {"Dropout", "ratio", 1, 12},
    MovedAttribute {"Clip", "min", 1, 11},
    MovedAttribute {"Clip", "max", 2, 11},
    MovedAttribute {"Pad", "pads", 1, 11},
    MovedAttribute {"Pad", "value", 2, 11},
    MovedAttribute {"TopK", "k", 1, 10},
    MovedAttribute {"Slice", "starts", 1, 10},
    MovedAttribute {"Slice", "ends", 2, 10},
    MovedAttribute {"Slice", "axes", 3, 10},
};

constexpr std::array<std::string_view, 9> kReductionsOf18 {"ReduceMean", "ReduceMax", "ReduceMin",
    "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"};

Tensor constantFrom(const OnnxNodeDraft& node, const MovedAttribute& moved, const Attribute& attribute)
{
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&attribute)) {
        return Tensor::of<std::int64_t>(
            Shape {static_cast<std::int64_t>(list->size())}, std::span<const std::int64_t>(*list));
    }
    if (const auto* number = std::get_if<std::int64_t>(&attribute)) {
        return Tensor::of<std::int64_t>(Shape {1}, {*number});
    }
    if (const auto* real = std::get_if<double>(&attribute)) {
        return Tensor::of<float>(Shape {}, {static_cast<float>(*real)});
    }
    throw Error(ErrorCode::CorruptFile,
        "attribute '" + std::string(moved.attribute) + "' of node '" + node.name + "' (" + node.op
            + ") is no number");
}

void moveAttributeToInput(OnnxNodeDraft& node, const MovedAttribute& moved, GraphBuilder& builder)
{
    const auto found = node.attributes.find(std::string(moved.attribute));
    if (found == node.attributes.end()) {
        return;
    }
    const Tensor constant = constantFrom(node, moved, found->second);
    node.attributes.erase(found);
    if (node.inputs.size() <= moved.input) {
        node.inputs.resize(moved.input + 1, kNoValue);
    }
    node.inputs[moved.input] = builder.addConstant(node.name + "." + std::string(moved.attribute), constant);
}

void moveAxesToAttribute(OnnxNodeDraft& node, const GraphBuilder& builder)
{
    if (node.inputs.size() < 2) {
        return;
    }
    const ValueId axes = node.inputs[1];
    node.inputs.erase(node.inputs.begin() + 1, node.inputs.end());
    if (axes == kNoValue) {
        return;
    }
    const Tensor& constant = builder.value(axes).constant;
    if (!constant.valid() || constant.dtype() != DType::I64) {
        throw Error(
            ErrorCode::Unsupported, "the axes of node '" + node.name + "' (" + node.op + ") are computed");
    }
    const auto list = constant.data<std::int64_t>();
    node.attributes["axes"] = std::vector<std::int64_t>(list.begin(), list.end());
}

} // namespace

void normaliseOpset(OnnxNodeDraft& node, std::int64_t opset, GraphBuilder& builder)
{
    for (const MovedAttribute& moved : kMoved) {
        if (opset < moved.since && node.op == moved.op) {
            moveAttributeToInput(node, moved, builder);
        }
    }
    if (opset >= 18 && std::ranges::find(kReductionsOf18, node.op) != kReductionsOf18.end()) {
        moveAxesToAttribute(node, builder);
    }
}

ValueId addFlattenedSoftmax(const OnnxNodeDraft& node, std::int64_t opset, GraphBuilder& builder)
{
    if (opset >= 13 || (node.op != "Softmax" && node.op != "LogSoftmax" && node.op != "Hardmax")
        || node.inputs.empty() || node.outputs.empty()) {
        return kNoValue;
    }
    const auto found = node.attributes.find("axis");
    const auto* given = found == node.attributes.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
    const std::int64_t axis = given == nullptr ? 1 : *given;
    if (axis == -1) {
        return kNoValue;
    }
    const ValueId shape = builder.addNode("Shape", node.name + ".shape", {node.inputs[0]});
    const ValueId flat
        = builder.addNode("Flatten", node.name + ".flatten", {node.inputs[0]}, {{"axis", axis}});
    const ValueId result = builder.addNode(node.op, node.name, {flat}, {{"axis", std::int64_t {-1}}});
    return builder.addNodeWithOutputs("Reshape", node.name + ".reshape", {result, shape}, {node.outputs[0]})
        .front();
}

} // namespace qs
