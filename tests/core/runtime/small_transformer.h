#pragma once

#include "core/base/error.h"
#include "core/graph/graph_builder.h"
#include "core/models/model.h"

#include <cmath>
#include <random>
#include <string>

namespace qs::testing {

struct SmallTransformerOptions
{
    std::int64_t blocks = 2;
    std::int64_t tokens = 21;
    std::int64_t heads = 3;
    std::int64_t headDim = 8;
    std::int64_t classes = 10;
    std::int64_t batch = -1; ///< -1: any
};

/// Tensor of normal random numbers, the same on every machine.
inline Tensor randomTensor(Shape shape, std::mt19937& generator, float scale = 1.0F)
{
    Tensor tensor(DType::F32, std::move(shape));
    for (float& value : tensor.mutableData<float>()) {
        float sum
            = -6.0F; // twelve uniform numbers: close to normal, without std::normal_distribution's freedom
        for (int i = 0; i < 12; ++i) {
            sum += static_cast<float>(generator() % 65536) / 65536.0F;
        }
        value = sum * scale;
    }
    return tensor;
}

/// A ViT-like graph as the timm importer makes it: tokens [B, T, D] in, packed qkv, attention, MLP, class
/// logits out.
class SmallTransformer
{
public:
    explicit SmallTransformer(SmallTransformerOptions options = {})
        : m_options(options)
    {
    }

    [[nodiscard]] std::shared_ptr<const Model> make()
    {
        const std::int64_t width = m_options.heads * m_options.headDim;
        ValueId x = m_builder.addInput("tokens", DType::F32, {m_options.batch, m_options.tokens, width});
        m_builder.setDims(x, {m_options.batch, m_options.tokens, width});
        for (std::int64_t i = 0; i < m_options.blocks; ++i) {
            x = block("blocks." + std::to_string(i), x);
        }
        x = norm("norm", x);
        x = m_builder.addNode(
            "Gather", "pool", {x, integers("pool.index", {}, {0})}, {{"axis", std::int64_t {1}}});
        x = linear("head", x, width, m_options.classes);
        m_builder.addOutput(x);
        auto model = std::make_shared<Model>();
        model->graph = m_builder.build();
        model->sites = findSites(*model->graph);
        return model;
    }

    [[nodiscard]] Tensor input(std::int64_t batch)
    {
        return randomTensor({batch, m_options.tokens, m_options.heads * m_options.headDim}, m_generator);
    }

private:
    ValueId integers(const std::string& name, Shape shape, std::vector<std::int64_t> values)
    {
        return m_builder.addConstant(
            name, Tensor::of<std::int64_t>(std::move(shape), std::span<const std::int64_t>(values)));
    }
    ValueId linear(const std::string& name, ValueId x, std::int64_t inputs, std::int64_t outputs)
    {
        const float scale = 1.0F / std::sqrt(static_cast<float>(inputs));
        const ValueId weight
            = m_builder.addConstant(name + ".weight", randomTensor({outputs, inputs}, m_generator, scale));
        const ValueId bias
            = m_builder.addConstant(name + ".bias", randomTensor({outputs}, m_generator, 0.1F));
        return m_builder.addNode("Linear", name, {x, weight, bias}, {{"transB", std::int64_t {1}}});
    }
    ValueId norm(const std::string& name, ValueId x)
    {
        const std::int64_t width = m_options.heads * m_options.headDim;
        const ValueId gamma = m_builder.addConstant(name + ".weight", randomTensor({width}, m_generator));
        const ValueId beta = m_builder.addConstant(name + ".bias", randomTensor({width}, m_generator));
        return m_builder.addNode(
            "LayerNormalization", name, {x, gamma, beta}, {{"axis", std::int64_t {-1}}, {"epsilon", 1e-6}});
    }
    ValueId transpose(const std::string& name, ValueId x, std::vector<std::int64_t> perm)
    {
        return m_builder.addNode("Transpose", name, {x}, {{"perm", std::move(perm)}});
    }
    ValueId block(const std::string& name, ValueId x)
    {
        const SmallTransformerOptions& o = m_options;
        const std::int64_t width = o.heads * o.headDim;
        const std::string attn = name + ".attn";
        ValueId y = norm(name + ".norm1", x);
        y = linear(attn + ".qkv", y, width, 3 * width);
        y = m_builder.addNode("Reshape", attn + ".split",
            {y, integers(attn + ".split.shape", {5}, {0, o.tokens, 3, o.heads, o.headDim})});
        y = transpose(attn + ".split.transpose", y, {2, 0, 3, 1, 4});
        const auto parts = m_builder.addNodeWithOutputs("Split", attn + ".parts", {y},
            {attn + ".p.q", attn + ".p.k", attn + ".p.v"}, {{"axis", std::int64_t {0}}});
        const ValueId axes = integers(attn + ".axes", {1}, {0});
        const ValueId q = m_builder.addNode("Squeeze", attn + ".q", {parts[0], axes});
        const ValueId k = m_builder.addNode("Squeeze", attn + ".k", {parts[1], axes});
        const ValueId v = m_builder.addNode("Squeeze", attn + ".v", {parts[2], axes});
        y = m_builder.addNode("MatMul", attn + ".matmul1", {q, transpose(attn + ".kT", k, {0, 1, 3, 2})});
        const float scale = 1.0F / std::sqrt(static_cast<float>(o.headDim));
        y = m_builder.addNode("Mul", attn + ".scale",
            {y, m_builder.addConstant(attn + ".factor", Tensor::of<float>(Shape {}, {scale}))});
        y = m_builder.addNode("Softmax", attn + ".softmax", {y}, {{"axis", std::int64_t {-1}}});
        y = m_builder.addNode("MatMul", attn + ".matmul2", {y, v});
        y = transpose(attn + ".join.transpose", y, {0, 2, 1, 3});
        y = m_builder.addNode(
            "Reshape", attn + ".join", {y, integers(attn + ".join.shape", {3}, {0, o.tokens, width})});
        y = linear(attn + ".proj", y, width, width);
        x = m_builder.addNode("Add", name + ".residual1", {x, y});
        y = norm(name + ".norm2", x);
        y = linear(name + ".mlp.fc1", y, width, 4 * width);
        y = m_builder.addNode("Gelu", name + ".mlp.act", {y}, {{"approximate", std::string("none")}});
        y = linear(name + ".mlp.fc2", y, 4 * width, width);
        return m_builder.addNode("Add", name + ".residual2", {x, y});
    }

    SmallTransformerOptions m_options;
    GraphBuilder m_builder;
    std::mt19937 m_generator {7};
};

} // namespace qs::testing
