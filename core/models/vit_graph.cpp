#include "core/models/vit_graph.h"

#include "core/graph/graph_builder.h"
#include "core/models/vit_tensors.h"

#include <cmath>
#include <utility>

namespace qs {

namespace {

using Dims = std::vector<std::int64_t>;
using Attributes = std::map<std::string, Attribute>;

/// Makes the nodes of one ViT, front to back. B below is the batch, -1 in dims.
class VitGraphMaker
{
public:
    VitGraphMaker(const VitConfig& config, const SafetensorsFile& weights)
        : m_config(config)
        , m_names(VitNames::of(config, weights))
        , m_tensors(weights)
        , m_size(measureVit(config, m_names, m_tensors))
    {
    }

    std::shared_ptr<const Graph> make();

private:
    /// One node with one output of known dims.
    ValueId node(const char* op, const std::string& name, std::vector<ValueId> inputs, Dims dims,
        Attributes attributes = {});
    ValueId weight(const std::string& name, const Shape& shape);
    /// The int64 constant of that name, made at its first use.
    ValueId integers(const std::string& name, const Dims& values);
    enum class Bias { Yes, No };
    /// The node's value has the node's name unless `output` gives it another.
    ValueId linear(const std::string& name, ValueId x, std::int64_t inputs, std::int64_t outputs,
        Bias bias = Bias::Yes, const std::string& output = {});
    ValueId layerNorm(const std::string& name, ValueId x);
    ValueId reshape(const std::string& name, ValueId x, const Dims& shape, const std::string& shapeName);
    ValueId transpose(const std::string& name, ValueId x, const Dims& order);
    /// x times the block's LayerScale, in networks that have it.
    ValueId layerScale(const std::string& name, ValueId x);

    ValueId embedding(ValueId pixels);
    ValueId expandedToken(const std::string& name, ValueId tokens);
    ValueId addPosition(ValueId x);
    struct Operands
    {
        ValueId query, key, value; ///< [B, H, T, d]
    };
    Operands fusedOperands(const std::string& block, ValueId x);
    Operands separateOperands(const std::string& block, ValueId x);
    ValueId attention(const std::string& block, ValueId x);
    ValueId block(const std::string& name, ValueId x);
    ValueId pooled(ValueId x);
    ValueId token(const std::string& name, ValueId x, std::int64_t index);
    ValueId classifier(ValueId x);

    const VitConfig& m_config;
    VitNames m_names;
    VitTensors m_tensors;
    VitDimensions m_size;
    GraphBuilder m_builder;
    std::map<std::string, ValueId> m_integers;
    ValueId m_scale = kNoValue;
};

ValueId VitGraphMaker::node(
    const char* op, const std::string& name, std::vector<ValueId> inputs, Dims dims, Attributes attributes)
{
    const ValueId value = m_builder.addNode(op, name, std::move(inputs), std::move(attributes));
    m_builder.setDims(value, std::move(dims));
    return value;
}

ValueId VitGraphMaker::weight(const std::string& name, const Shape& shape)
{
    return m_builder.addConstant(name, m_tensors.take(name, shape));
}

ValueId VitGraphMaker::integers(const std::string& name, const Dims& values)
{
    const auto [it, isNew] = m_integers.try_emplace(name, kNoValue);
    if (isNew) {
        it->second = m_builder.addConstant(
            name, Tensor::of<std::int64_t>({static_cast<std::int64_t>(values.size())}, std::span(values)));
    }
    return it->second;
}

ValueId VitGraphMaker::linear(const std::string& name, ValueId x, std::int64_t inputs, std::int64_t outputs,
    Bias bias, const std::string& output)
{
    std::vector<ValueId> operands {x, weight(name + ".weight", {outputs, inputs})};
    if (bias == Bias::Yes) {
        operands.push_back(weight(name + ".bias", {outputs}));
    }
    Dims dims = m_builder.value(x).dims;
    dims.back() = outputs;
    const ValueId value = m_builder
                              .addNodeWithOutputs("Linear", name, std::move(operands),
                                  {output.empty() ? name : output}, {{"transB", std::int64_t {1}}})
                              .front();
    m_builder.setDims(value, std::move(dims));
    return value;
}

ValueId VitGraphMaker::layerNorm(const std::string& name, ValueId x)
{
    const Shape shape {m_size.embedDim};
    std::vector<ValueId> operands {x, weight(name + ".weight", shape), weight(name + ".bias", shape)};
    return node("LayerNormalization", name, std::move(operands), Dims(m_builder.value(x).dims),
        {{"axis", std::int64_t {-1}}, {"epsilon", m_config.layerNormEpsilon}});
}

ValueId VitGraphMaker::reshape(
    const std::string& name, ValueId x, const Dims& shape, const std::string& shapeName)
{
    Dims dims = shape;
    dims.front() = -1; // 0 in the constant: the batch is kept
    return node("Reshape", name, {x, integers(shapeName, shape)}, std::move(dims));
}

ValueId VitGraphMaker::transpose(const std::string& name, ValueId x, const Dims& order)
{
    Dims dims;
    for (const std::int64_t axis : order) {
        dims.push_back(m_builder.value(x).dims[static_cast<std::size_t>(axis)]);
    }
    return node("Transpose", name, {x}, std::move(dims), {{"perm", order}});
}

ValueId VitGraphMaker::layerScale(const std::string& name, ValueId x)
{
    const std::string first = m_names.block(0);
    if (!m_tensors.has(first + ".ls1.gamma") && !m_tensors.has(first + ".ls2.gamma")) {
        return x;
    }
    return node("Mul", name, {x, weight(name + ".gamma", {m_size.embedDim})}, Dims(m_builder.value(x).dims));
}

/// pixels [B, C, height, width] -> [B, T, D]
ValueId VitGraphMaker::embedding(ValueId pixels)
{
    const VitDimensions& n = m_size;
    std::vector<ValueId> operands {
        pixels, weight(m_names.patch + ".weight", {n.embedDim, n.channels, n.patchHeight, n.patchWidth})};
    if (m_tensors.has(m_names.patch + ".bias") || !m_tensors.has("norm_pre.weight")) {
        operands.push_back(weight(m_names.patch + ".bias", {n.embedDim}));
    }
    const Dims patch {n.patchHeight, n.patchWidth};
    ValueId x = node("Conv", m_names.patch, std::move(operands), {-1, n.embedDim, n.gridHeight, n.gridWidth},
        {{"kernel_shape", patch}, {"strides", patch}});
    const std::string module = m_names.patch.substr(0, m_names.patch.rfind('.'));
    x = reshape(module + ".flatten", x, {0, n.embedDim, n.patches()}, module + ".flatten.shape");
    x = transpose(module + ".tokens", x, {0, 2, 1});
    if (!n.positionCoversPrefix) {
        x = addPosition(x);
    }
    std::vector<ValueId> parts;
    for (const std::string& name : {m_names.classToken, m_names.distillationToken}) {
        if (m_tensors.has(name)) {
            parts.push_back(expandedToken(name, x));
        }
    }
    if (!parts.empty()) {
        parts.push_back(x);
        x = node("Concat", m_config.form == VitForm::Timm ? "embed" : m_config.prefix + ".embeddings.embed",
            std::move(parts), {-1, n.tokens(), n.embedDim}, {{"axis", std::int64_t {1}}});
    }
    x = n.positionCoversPrefix ? addPosition(x) : x;
    return m_tensors.has("norm_pre.weight") ? layerNorm("norm_pre", x) : x;
}

/// A learned token [1, 1, D] once per sample of `tokens`: [B, 1, D].
ValueId VitGraphMaker::expandedToken(const std::string& name, ValueId tokens)
{
    const ValueId learned = weight(name, {1, 1, m_size.embedDim});
    const ValueId batch = m_builder.addNode(
        "Shape", name + ".batch", {tokens}, {{"start", std::int64_t {0}}, {"end", std::int64_t {1}}});
    m_builder.setDims(batch, {1}, DType::I64);
    const ValueId shape = m_builder.addNode("Concat", name + ".shape",
        {batch, integers("token.shape", {1, m_size.embedDim})}, {{"axis", std::int64_t {0}}});
    m_builder.setDims(shape, {3}, DType::I64);
    return node("Expand", name + ".expand", {learned, shape}, {-1, 1, m_size.embedDim});
}

ValueId VitGraphMaker::addPosition(ValueId x)
{
    const std::int64_t rows = m_size.positionCoversPrefix ? m_size.tokens() : m_size.patches();
    const ValueId position = weight(m_names.position, {1, rows, m_size.embedDim});
    return node("Add", m_names.position + ".add", {x, position}, {-1, rows, m_size.embedDim});
}

VitGraphMaker::Operands VitGraphMaker::fusedOperands(const std::string& block, ValueId x)
{
    const VitDimensions& n = m_size;
    const std::string qkv = block + "." + m_names.attention + ".qkv";
    x = linear(qkv, x, n.embedDim, 3 * n.embedDim, m_config.qkvBias ? Bias::Yes : Bias::No);
    x = reshape(qkv + ".reshape", x, {0, n.tokens(), 3, n.heads, n.headDim()}, "attn.split_heads.shape");
    x = transpose(qkv + ".transpose", x, {2, 0, 3, 1, 4});
    const std::vector<ValueId> parts = m_builder.addNodeWithOutputs("Split", qkv + ".split", {x},
        {qkv + ".split.query", qkv + ".split.key", qkv + ".split.value"}, {{"axis", std::int64_t {0}}});
    const Dims dims {-1, n.heads, n.tokens(), n.headDim()};
    std::vector<ValueId> operands;
    for (const std::string& name : {m_names.query, m_names.key, m_names.value}) {
        const ValueId part = parts[operands.size()];
        m_builder.setDims(part, {1, -1, n.heads, n.tokens(), n.headDim()});
        operands.push_back(
            node("Squeeze", block + "." + name, {part, integers("attn.squeeze.axes", {0})}, dims));
    }
    return {operands[0], operands[1], operands[2]};
}

VitGraphMaker::Operands VitGraphMaker::separateOperands(const std::string& block, ValueId x)
{
    const VitDimensions& n = m_size;
    std::vector<ValueId> operands;
    for (const std::string& part : {m_names.query, m_names.key, m_names.value}) {
        const std::string name = block + "." + part;
        ValueId y = linear(name, x, n.embedDim, n.embedDim, m_config.qkvBias ? Bias::Yes : Bias::No);
        y = reshape(
            name + ".reshape", y, {0, n.tokens(), n.heads, n.headDim()}, "attention.split_heads.shape");
        operands.push_back(transpose(name + ".heads", y, {0, 2, 1, 3}));
    }
    return {operands[0], operands[1], operands[2]};
}

/// x [B, T, D] -> the attention's output before the projection, [B, T, D].
ValueId VitGraphMaker::attention(const std::string& block, ValueId x)
{
    const VitDimensions& n = m_size;
    const std::string name = block + "." + m_names.attention;
    const Operands operands
        = m_config.form == VitForm::Timm ? fusedOperands(block, x) : separateOperands(block, x);
    const ValueId keyTransposed
        = transpose(block + "." + m_names.key + ".transpose", operands.key, {0, 1, 3, 2});
    const Dims square {-1, n.heads, n.tokens(), n.tokens()};
    ValueId y = node("MatMul", name + ".matmul1", {operands.query, keyTransposed}, square);
    if (m_scale == kNoValue) {
        const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(n.headDim())));
        m_scale = m_builder.addConstant("attention.scale", Tensor::of<float>(Shape {}, {scale}));
    }
    y = node("Mul", name + ".scale", {y, m_scale}, square);
    y = node("Softmax", name + ".softmax", {y}, square, {{"axis", std::int64_t {-1}}});
    y = node("MatMul", name + ".matmul2", {y, operands.value}, {-1, n.heads, n.tokens(), n.headDim()});
    y = transpose(name + ".matmul2.transpose", y, {0, 2, 1, 3});
    return reshape(name + ".matmul2.reshape", y, {0, n.tokens(), n.embedDim}, "attention.join_heads.shape");
}

ValueId VitGraphMaker::block(const std::string& name, ValueId x)
{
    const VitDimensions& n = m_size;
    const Dims dims {-1, n.tokens(), n.embedDim};
    ValueId y = layerNorm(name + "." + m_names.norm1, x);
    y = attention(name, y);
    y = linear(name + "." + m_names.projection, y, n.embedDim, n.embedDim);
    y = layerScale(name + ".ls1", y);
    x = node("Add", name + ".residual1", {x, y}, dims);
    y = layerNorm(name + "." + m_names.norm2, x);
    y = linear(name + "." + m_names.fc1, y, n.embedDim, n.mlpDim);
    y = node("Gelu", name + "." + m_names.activation, {y}, {-1, n.tokens(), n.mlpDim},
        {{"approximate", m_config.geluApproximation}});
    y = linear(name + "." + m_names.fc2, y, n.mlpDim, n.embedDim);
    y = layerScale(name + ".ls2", y);
    return node("Add", name + ".residual2", {x, y}, dims);
}

/// [B, T, D] -> token `index` of each sample, [B, D].
ValueId VitGraphMaker::token(const std::string& name, ValueId x, std::int64_t index)
{
    const ValueId position
        = m_builder.addConstant(name + ".index", Tensor::of<std::int64_t>(Shape {}, {index}));
    return node("Gather", name, {x, position}, {-1, m_size.embedDim}, {{"axis", std::int64_t {1}}});
}

/// Mean over the patch tokens, [B, T, D] -> [B, D].
ValueId VitGraphMaker::pooled(ValueId x)
{
    const VitDimensions& n = m_size;
    if (n.prefixTokens > 0) {
        std::vector<ValueId> operands {x, integers("pool.starts", {n.prefixTokens}),
            integers("pool.ends", {n.tokens()}), integers("pool.axes", {1})};
        x = node("Slice", "pool.patches", std::move(operands), {-1, n.patches(), n.embedDim});
    }
    return node(
        "ReduceMean", "pool", {x}, {-1, n.embedDim}, {{"axes", Dims {1}}, {"keepdims", std::int64_t {0}}});
}

/// x [B, T, D] -> logits [B, classes].
ValueId VitGraphMaker::classifier(ValueId x)
{
    const VitDimensions& n = m_size;
    const bool distilled = m_tensors.has(m_names.distillationHead + ".weight");
    // timm moves the final norm behind the average ("fc_norm").
    const bool normBehindPool = m_tensors.has("fc_norm.weight");
    if (!normBehindPool) {
        x = layerNorm(m_names.norm, x);
    }
    ValueId pool = m_config.pooling == VitPooling::Average ? pooled(x) : token("pool", x, 0);
    if (normBehindPool) {
        pool = layerNorm("fc_norm", pool);
    }
    if (!distilled) {
        return linear(m_names.head, pool, n.embedDim, n.classes, Bias::Yes, "logits");
    }
    const ValueId logits = linear(m_names.head, pool, n.embedDim, n.classes);
    const ValueId other = linear(m_names.distillationHead, token("pool_dist", x, 1), n.embedDim, n.classes);
    const ValueId sum = node("Add", "logits.sum", {logits, other}, {-1, n.classes});
    const ValueId half = m_builder.addConstant("logits.half", Tensor::of<float>(Shape {}, {0.5F}));
    return node("Mul", "logits", {sum, half}, {-1, n.classes});
}

std::shared_ptr<const Graph> VitGraphMaker::make()
{
    const VitDimensions& n = m_size;
    ValueId x = m_builder.addInput("pixel_values", DType::F32, {-1, n.channels, n.imageHeight, n.imageWidth});
    x = embedding(x);
    for (std::int64_t i = 0; i < n.depth; ++i) {
        x = block(m_names.block(i), x);
    }
    m_builder.addOutput(classifier(x));
    m_tensors.checkAllUsed(m_names);
    return m_builder.build();
}

} // namespace

std::shared_ptr<const Graph> buildVitGraph(const VitConfig& config, const SafetensorsFile& weights)
{
    return VitGraphMaker(config, weights).make();
}

} // namespace qs
