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

/// Names the node in what normalising throws.
[[noreturn]] void refuse(const OnnxNodeDraft& node, std::int64_t opset, const std::string& what)
{
    throw Error(ErrorCode::Unsupported,
        "node '" + node.name + "' (" + node.op + " of opset " + std::to_string(opset) + "): " + what);
}

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

/// Constant axes only: those that are computed stay an input, as ReduceSum has them.
void moveAxesToAttribute(OnnxNodeDraft& node, const GraphBuilder& builder)
{
    if (node.inputs.size() < 2) {
        return;
    }
    const ValueId axes = node.inputs[1];
    if (axes != kNoValue) {
        const Tensor& constant = builder.value(axes).constant;
        if (!constant.valid() || constant.dtype() != DType::I64) {
            return;
        }
        const auto list = constant.data<std::int64_t>();
        node.attributes["axes"] = std::vector<std::int64_t>(list.begin(), list.end());
    }
    node.inputs.erase(node.inputs.begin() + 1, node.inputs.end());
}

/// Resize of opset 10 and Upsample are Resize without a region, from corner to corner, rounding down.
void normaliseResize(OnnxNodeDraft& node, std::int64_t opset, GraphBuilder& builder)
{
    if (node.op == "Upsample" && opset < 9) {
        const auto scales = node.attributes.find("scales");
        const auto* list
            = scales == node.attributes.end() ? nullptr : std::get_if<std::vector<double>>(&scales->second);
        if (list == nullptr || node.inputs.size() != 1) {
            refuse(node, opset, "it has no scales");
        }
        const std::vector<float> floats(list->begin(), list->end());
        node.inputs.push_back(builder.addConstant(node.name + ".scales",
            Tensor::of<float>(
                Shape {static_cast<std::int64_t>(floats.size())}, std::span<const float>(floats))));
        node.attributes.erase(scales);
    }
    if (node.inputs.size() != 2) {
        refuse(node, opset, "it has " + std::to_string(node.inputs.size()) + " inputs");
    }
    node.op = "Resize";
    node.inputs.insert(node.inputs.begin() + 1, kNoValue);
    node.attributes["coordinate_transformation_mode"] = std::string("asymmetric");
    node.attributes["nearest_mode"] = std::string("floor");
}

/// GroupNormalization had one scale and bias a group before opset 21, now one a channel.
void spreadGroups(OnnxNodeDraft& node, std::int64_t opset, GraphBuilder& builder)
{
    const auto found = node.attributes.find("num_groups");
    const auto* groups = found == node.attributes.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
    const bool whole
        = node.inputs.size() == 3 && std::ranges::find(node.inputs, kNoValue) == node.inputs.end();
    const std::vector<std::int64_t> dims
        = whole ? builder.value(node.inputs[0]).dims : std::vector<std::int64_t> {};
    if (groups == nullptr || *groups < 1 || dims.size() < 2 || dims[1] < 1 || dims[1] % *groups != 0) {
        refuse(node, opset, "its channels and groups are not known");
    }
    std::vector<std::int64_t> order;
    for (std::int64_t channel = 0; channel < dims[1]; ++channel) {
        order.push_back(channel / (dims[1] / *groups));
    }
    const ValueId indices = builder.addConstant(node.name + ".groups",
        Tensor::of<std::int64_t>(Shape {dims[1]}, std::span<const std::int64_t>(order)));
    for (const std::size_t input : {std::size_t {1}, std::size_t {2}}) {
        node.inputs[input] = builder.addNode(
            "Gather", node.name + (input == 1 ? ".scale" : ".bias"), {node.inputs[input], indices});
    }
}

/// What broadcasting took from attributes before opset 7 is not what it does since.
void refuseOldBroadcast(const OnnxNodeDraft& node, std::int64_t opset)
{
    constexpr std::array<std::string_view, 11> kOps {
        "Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less"};
    if (std::ranges::find(kOps, node.op) != kOps.end() && node.attributes.contains("axis")) {
        refuse(node, opset, "it broadcasts from an axis");
    }
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
    if ((node.op == "Resize" && opset < 11) || (node.op == "Upsample" && opset < 10)) {
        normaliseResize(node, opset, builder);
    }
    if (node.op == "GroupNormalization" && opset < 21) {
        spreadGroups(node, opset, builder);
    }
    if (opset < 7) {
        refuseOldBroadcast(node, opset);
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
