#include "core/quant/linear_weights.h"

namespace qs {

std::vector<double> rowSums(const Node& linear, const Tensor& weight)
{
    const bool transposed = linear.intAttribute("transB", 0) != 0;
    const Tensor values = weight.toF32();
    const auto outputs = static_cast<std::size_t>(values.shape()[transposed ? 0 : 1]);
    const auto inputs = static_cast<std::size_t>(values.shape()[transposed ? 1 : 0]);
    std::vector<double> sums(outputs, 0.0);
    for (std::size_t row = 0; row < outputs; ++row) {
        for (std::size_t c = 0; c < inputs; ++c) {
            sums[row] += static_cast<double>(
                values.data<float>()[transposed ? row * inputs + c : c * outputs + row]);
        }
    }
    return sums;
}

void addToBias(
    GraphEdit& edit, const Graph& graph, NodeId linear, std::span<const double> terms, double factor)
{
    const Node& node = graph.node(linear);
    const bool hasBias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
    const Tensor old = hasBias ? graph.value(node.inputs[2]).constant.toF32() : Tensor();
    Tensor bias(DType::F32, Shape {static_cast<std::int64_t>(terms.size())});
    const auto values = bias.mutableData<float>();
    for (std::size_t i = 0; i < terms.size(); ++i) {
        values[i] = static_cast<float>(
            (hasBias ? static_cast<double>(old.data<float>()[i]) : 0.0) + factor * terms[i]);
    }
    if (hasBias) {
        edit.setConstant(node.inputs[2], std::move(bias));
    } else {
        edit.addConstantInput(linear, 2, node.name + ".bias", std::move(bias));
    }
}

} // namespace qs
