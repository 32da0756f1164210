#pragma once

#include "core/graph/graph_builder.h"

#include <span>
#include <string>
#include <vector>

namespace qs {

/// The operators that our graph has and ONNX opset 17 has not, in its terms. Each adds nodes named after
/// `node` and an output of the name `outputName`, and returns that output. Inputs are values of `builder`.

/// x [..., K] times weight [K, N] plus bias [N] (kNoValue: none), as MatMul and Add: runtimes fuse integer
/// operands into the MatMul and keep a float bias cheap, where Gemm would want an int32 bias.
ValueId lowerLinear(GraphBuilder& builder, const Node& node, ValueId x, ValueId weight, ValueId bias,
    const std::string& outputName);
/// approximate = "none": Div by sqrt 2, Erf, Add 1, Mul x, Mul 0.5; "tanh": 0.5 x (1 + tanh(sqrt(2/pi) (x +
/// 0.044715 x^3))).
ValueId lowerGelu(GraphBuilder& builder, const Node& node, ValueId x, const std::string& outputName);

/// x / sqrt(mean(x^2) + epsilon) * scale over the last dimensions: from attribute axis, which must be
/// negative, on.
ValueId lowerRmsNormalization(
    GraphBuilder& builder, const Node& node, ValueId x, ValueId scale, const std::string& outputName);
/// x sigmoid(alpha x).
ValueId lowerSwish(GraphBuilder& builder, const Node& node, ValueId x, const std::string& outputName);

/// Rank-0 float constant.
ValueId addScalar(GraphBuilder& builder, const std::string& name, float value);
/// A [rows, columns] float matrix with rows and columns exchanged.
[[nodiscard]] Tensor transposed(const Tensor& matrix);

} // namespace qs
