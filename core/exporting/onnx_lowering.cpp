#include "core/exporting/onnx_lowering.h"

#include "core/base/error.h"

#include <cmath>
#include <numbers>

namespace qs {

ValueId addScalar(GraphBuilder& builder, const std::string& name, float value)
{
    return builder.addConstant(name, Tensor::of<float>(Shape {}, {value}));
}

Tensor transposed(const Tensor& matrix)
{
    if (matrix.shape().rank() != 2) {
        throw Error(ErrorCode::ShapeMismatch, "a linear's weight has the shape " + matrix.shape().text());
    }
    const std::int64_t rows = matrix.shape()[0];
    const std::int64_t columns = matrix.shape()[1];
    const Tensor source = matrix.toF32();
    const auto in = source.data<float>();
    Tensor result(DType::F32, Shape {columns, rows});
    const auto out = result.mutableData<float>();
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) {
            out[static_cast<std::size_t>(column * rows + row)]
                = in[static_cast<std::size_t>(row * columns + column)];
        }
    }
    return result;
}

ValueId lowerLinear(GraphBuilder& builder, const Node& node, ValueId x, ValueId weight, ValueId bias,
    const std::string& outputName)
{
    if (bias == kNoValue) {
        return builder.addNodeWithOutputs("MatMul", node.name, {x, weight}, {outputName}).front();
    }
    const ValueId product = builder.addNode("MatMul", node.name + ".MatMul", {x, weight});
    return builder.addNodeWithOutputs("Add", node.name, {product, bias}, {outputName}).front();
}

ValueId lowerGelu(GraphBuilder& builder, const Node& node, ValueId x, const std::string& outputName)
{
    const std::string& name = node.name;
    const auto step = [&](const char* op, const char* suffix, ValueId left, ValueId right) {
        return builder.addNode(op, name + suffix, {left, right});
    };
    const auto scalar = [&](const char* suffix, double value) {
        return addScalar(builder, name + suffix, static_cast<float>(value));
    };
    const ValueId one = scalar(".one", 1.0);
    const ValueId half = scalar(".half", 0.5);
    ValueId bounded = kNoValue; // erf or tanh of x
    if (node.stringAttribute("approximate", "none") == "tanh") {
        const ValueId square = step("Mul", ".square", x, x);
        const ValueId cube = step("Mul", ".cube", square, x);
        const ValueId scaled = step("Mul", ".cubic", cube, scalar(".coefficient", 0.044715));
        const ValueId sum = step("Add", ".sum", x, scaled);
        const ValueId argument = step(
            "Mul", ".argument", sum, scalar(".factor", std::numbers::sqrt2 * std::numbers::inv_sqrtpi));
        bounded = builder.addNode("Tanh", name + ".tanh", {argument});
    } else {
        const ValueId argument = step("Div", ".argument", x, scalar(".sqrt2", std::numbers::sqrt2));
        bounded = builder.addNode("Erf", name + ".erf", {argument});
    }
    const ValueId gate = step("Add", ".gate", bounded, one);
    const ValueId product = step("Mul", ".product", x, gate);
    return builder.addNodeWithOutputs("Mul", name, {product, half}, {outputName}).front();
}

ValueId lowerRmsNormalization(
    GraphBuilder& builder, const Node& node, ValueId x, ValueId scale, const std::string& outputName)
{
    const std::string& name = node.name;
    std::vector<std::int64_t> axes;
    for (std::int64_t axis = node.intAttribute("axis", -1); axis < 0; ++axis) {
        axes.push_back(axis);
    }
    if (axes.empty()) {
        throw Error(ErrorCode::Unsupported,
            "RMSNormalization '" + name + "' counts its axis from the front, which this format cannot hold");
    }
    const ValueId square = builder.addNode("Mul", name + ".square", {x, x});
    const ValueId mean = builder.addNode(
        "ReduceMean", name + ".mean", {square}, {{"axes", std::move(axes)}, {"keepdims", std::int64_t {1}}});
    const ValueId epsilon
        = addScalar(builder, name + ".epsilon", static_cast<float>(node.floatAttribute("epsilon", 1e-5)));
    const ValueId shifted = builder.addNode("Add", name + ".shifted", {mean, epsilon});
    const ValueId root = builder.addNode("Sqrt", name + ".root", {shifted});
    const ValueId normalized = builder.addNode("Div", name + ".normalized", {x, root});
    return builder.addNodeWithOutputs("Mul", name, {normalized, scale}, {outputName}).front();
}

ValueId lowerSwish(GraphBuilder& builder, const Node& node, ValueId x, const std::string& outputName)
{
    const double alpha = node.floatAttribute("alpha", 1.0);
    ValueId argument = x;
    if (alpha != 1.0) {
        const ValueId factor = addScalar(builder, node.name + ".alpha", static_cast<float>(alpha));
        argument = builder.addNode("Mul", node.name + ".argument", {x, factor});
    }
    const ValueId gate = builder.addNode("Sigmoid", node.name + ".gate", {argument});
    return builder.addNodeWithOutputs("Mul", node.name, {x, gate}, {outputName}).front();
}

} // namespace qs
