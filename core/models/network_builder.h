#pragma once

#include "core/graph/graph_builder.h"
#include "core/models/activation.h"
#include "core/models/checkpoint.h"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace qs {

/// The parts that transformers are made of, as graph nodes with known dims (-1: batch and sequence). Nodes
/// are named after the checkpoint's modules, constants after its tensors. Everything has the semantics of
/// ONNX opset 17, plus "Linear", "Gelu", and RMSNormalization, RotaryEmbedding (opset 23) and Swish (opset
/// 24).
class NetworkBuilder
{
public:
    using Dims = std::vector<std::int64_t>;
    using Attributes = std::map<std::string, Attribute>;

    explicit NetworkBuilder(Checkpoint& weights)
        : m_weights(weights)
    {
    }

    [[nodiscard]] Checkpoint& weights() { return m_weights; }
    [[nodiscard]] const Dims& dims(ValueId value) const { return m_builder.value(value).dims; }
    [[nodiscard]] std::int64_t width(ValueId value) const { return dims(value).back(); }
    ValueId input(const std::string& name, DType type, Dims dims)
    {
        return m_builder.addInput(name, type, std::move(dims));
    }
    void output(ValueId value) { m_builder.addOutput(value); }
    /// An output whose value is not named so where it is made.
    void output(const std::string& name, ValueId value) { output(sameShape("Identity", name, {value})); }
    [[nodiscard]] std::shared_ptr<const Graph> build() { return m_builder.build(); }

    // ---- single nodes

    /// One node with one output of known dims.
    ValueId node(const char* op, const std::string& name, std::vector<ValueId> inputs, Dims dims,
        Attributes attributes = {}, DType type = DType::F32);
    /// The same under a value name of its own, such as "logits".
    ValueId namedNode(const char* op, const std::string& name, const std::string& value,
        std::vector<ValueId> inputs, Dims dims, Attributes attributes = {});
    /// Add, Mul, Where's result, ...: dims of its first input.
    ValueId sameShape(
        const char* op, const std::string& name, std::vector<ValueId> inputs, Attributes attributes = {});
    /// The tensor of that name; one constant however often it is asked for.
    ValueId weight(const std::string& name, const Shape& shape);
    /// The int64 vector, one constant for each name and value.
    ValueId integers(const std::string& name, const Dims& values);
    /// A number: dims [].
    ValueId scalar(const std::string& name, float value);
    /// Numbers that are no weight but part of the network's definition: a Constant node, dims [n].
    ValueId table(const std::string& name, const std::vector<float>& values);
    /// 0 in `shape` keeps a dimension.
    ValueId reshape(const std::string& name, ValueId x, const Dims& shape);
    ValueId transpose(const std::string& name, ValueId x, const Dims& order);
    /// x[.., first .. last, ..] of one axis.
    ValueId slice(
        const std::string& name, ValueId x, std::int64_t axis, std::int64_t first, std::int64_t last);
    /// Three equal parts along the last axis or the first.
    std::vector<ValueId> split(
        const std::string& name, ValueId x, std::int64_t axis, const std::vector<std::string>& parts);

    // ---- layers

    enum class Bias { Yes, No };
    enum class Layout { OutIn, InOut }; ///< of the stored matrix: torch.nn.Linear, or GPT-2's Conv1D
    struct LinearForm
    {
        Bias bias = Bias::Yes;
        Layout layout = Layout::OutIn;
        std::string value = {}; ///< name of the result where it is not the layer's
        std::string weight = {}; ///< name of the matrix where it is not "<layer>.weight" (tied weights)
        std::string biasName = {}; ///< name of the bias where it is not "<layer>.bias"
    };
    /// x [..., K] -> [..., outputs]
    ValueId linear(const std::string& name, ValueId x, std::int64_t outputs, const LinearForm& form);
    ValueId linear(const std::string& name, ValueId x, std::int64_t outputs)
    {
        return linear(name, x, outputs, {});
    }
    /// Over the last axis; weight and bias, or the older gamma and beta.
    ValueId layerNorm(const std::string& name, ValueId x, double epsilon);
    ValueId rmsNorm(const std::string& name, ValueId x, double epsilon);
    /// Rows of a stored table [rows, width] by index: [...] -> [..., width].
    ValueId embedding(const std::string& name, ValueId indices, std::int64_t rows, std::int64_t width);

    /// pixels [B, C, H, W] -> [B, patches, outputs]: a convolution with the patch as kernel and stride,
    /// flattened.
    ValueId patches(
        const std::string& name, ValueId pixels, std::int64_t outputs, const Dims& patch, Bias bias);
    /// A learned token [1, 1, D] once per sample of `tokens` [B, T, D]: [B, 1, D].
    ValueId expandedToken(const std::string& name, ValueId learned, ValueId tokens);
    /// Token `index` of each sample: [B, T, D] -> [B, D].
    ValueId token(const std::string& name, ValueId x, std::int64_t index);
    /// Over the tokens: [B, T, D] -> [B, D].
    ValueId mean(const std::string& name, ValueId x);

    ValueId activation(const std::string& name, ValueId x, const ActivationFunction& activation)
    {
        return sameShape(activation.op.c_str(), name, {x}, activation.attributes);
    }

    struct Operands
    {
        ValueId query, key, value; ///< [B, H, T, d]
    };
    /// x [B, T, H d] -> [B, H, T, d]: Reshape "<name>.reshape", Transpose "<name>.heads".
    ValueId splitHeads(const std::string& name, ValueId x, std::int64_t heads);
    /// Query, key and value out of one product "<path>.qkv": Linear [B, T, 3 H d], Reshape, Transpose, Split
    /// and Squeeze, "<path>.query", ".key", ".value".
    Operands fusedOperands(const std::string& path, ValueId x, std::int64_t heads, Bias bias);
    struct AttentionForm
    {
        std::string path; ///< of the nodes: "<path>.matmul1", ".scale", ".mask", ".softmax", ".matmul2"
        std::string key; ///< names "<key>.transpose"
        std::vector<ValueId> masks = {}; ///< added to the scaled scores in turn
        double scale = 0; ///< 0: d^-1/2
    };
    /// MatMul, Mul, [Add], Softmax, MatMul, Transpose, Reshape: [B, T, H d].
    ValueId attention(const AttentionForm& form, const Operands& operands);

    // ---- sequences

    /// Length of the token ids' axis 1: int64 [1].
    ValueId length(const std::string& name, ValueId ids);
    /// The first `length` of `rows` rows that begin at `offset`.
    ValueId firstRows(const std::string& name, ValueId table, ValueId length, std::int64_t offset = 0);
    /// 0, 1, 2, ... as many as `length` says, at most `most`: int64 [T].
    ValueId positions(const std::string& name, ValueId length, std::int64_t most);
    /// int64 of the ids' shape, all `value`. Feeding that value of the graph replaces it.
    ValueId filledLike(const std::string& name, ValueId ids, std::int64_t value);
    /// [B, 1, 1, T]: 0 where the mask [B, T] is 1, the lowest float where it is 0.
    ValueId paddingMask(const std::string& name, ValueId mask);
    /// [T, T]: 0 where a column is not after its row, else the lowest float. Positions: int64 [T].
    ValueId causalMask(const std::string& path, ValueId positions);

private:
    [[nodiscard]] std::string freeName(const std::string& name);

    Checkpoint& m_weights;
    GraphBuilder m_builder;
    std::map<std::string, ValueId> m_constants; ///< weights by name
    std::map<std::pair<std::string, Dims>, ValueId> m_integers;
    std::map<std::pair<std::string, float>, ValueId> m_scalars;
    std::map<std::string, int> m_made; ///< names of our own constants, and how often they were wanted
};

} // namespace qs
