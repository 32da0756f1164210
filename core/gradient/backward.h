#pragma once

#include "core/runtime/kernel_registry.h"

#include <span>
#include <string_view>
#include <vector>

namespace qs {

/// What the backward pass of one node works with.
struct BackwardCall
{
    const KernelCall& forward; ///< the node, its inputs and where to take memory from
    std::span<const Array> outputs; ///< as computed
    std::span<const Array>
        gradients; ///< dL/d output, dense F32; not valid() where the loss does not see the output
    std::span<const std::uint8_t> wanted; ///< per input: 1 where dL/d input is asked for

    [[nodiscard]] bool wants(std::size_t input) const { return input < wanted.size() && wanted[input] != 0; }
    /// dL/d of the only output.
    [[nodiscard]] const Array& gradient() const { return gradients[0]; }
    [[nodiscard]] Array make(const Dims& dims) const { return forward.make(DType::F32, dims); }
};

/// dL/d input for every wanted input, of the input's dims; others not valid().
using Backward = std::vector<Array> (*)(const BackwardCall& call);

/// The backward pass of an operator (formulas: methods.md 0.3), or null. Known: Linear, MatMul;
/// LayerNormalization, RMSNormalization, Softmax; Add, Sub, Mul, Div, Neg, Gelu (both forms), Swish, Sigmoid,
/// Tanh, Relu; Identity, Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Split, Slice, Expand, Concat,
/// Gather with constant indices, RotaryEmbedding.
[[nodiscard]] Backward backwardOf(std::string_view op);

} // namespace qs
