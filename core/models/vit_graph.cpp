#include "core/models/vit_graph.h"

#include "core/models/network_builder.h"
#include "core/models/vit_tensors.h"

#include <utility>

namespace qs {

namespace {

using Dims = NetworkBuilder::Dims;
using Bias = NetworkBuilder::Bias;

/// Makes the nodes of one ViT, front to back. B below is the batch, -1 in dims.
class VitGraphMaker
{
public:
    VitGraphMaker(const VitConfig& config, Checkpoint& weights)
        : m_config(config)
        , m_names(VitNames::of(config, weights))
        , m_size(measureVit(config, m_names, weights))
        , m_weights(weights)
        , m_net(weights)
    {
    }

    std::shared_ptr<const Graph> make();

private:
    /// x times the block's LayerScale, in networks that have it.
    ValueId layerScale(const std::string& name, ValueId x);
    ValueId layerNorm(const std::string& name, ValueId x)
    {
        return m_net.layerNorm(name, x, m_config.layerNormEpsilon);
    }
    ValueId embedding(ValueId pixels);
    ValueId addPosition(ValueId x);
    NetworkBuilder::Operands separateOperands(const std::string& block, ValueId x);
    ValueId block(const std::string& name, ValueId x);
    ValueId pooled(ValueId x);
    ValueId classifier(ValueId x);

    const VitConfig& m_config;
    VitNames m_names;
    VitDimensions m_size;
    Checkpoint& m_weights;
    NetworkBuilder m_net;
};

ValueId VitGraphMaker::layerScale(const std::string& name, ValueId x)
{
    const std::string first = m_names.block(0);
    if (!m_weights.has(first + ".ls1.gamma") && !m_weights.has(first + ".ls2.gamma")) {
        return x;
    }
    return m_net.sameShape("Mul", name, {x, m_net.weight(name + ".gamma", {m_size.embedDim})});
}

/// pixels [B, C, height, width] -> [B, T, D]
ValueId VitGraphMaker::embedding(ValueId pixels)
{
    const VitDimensions& n = m_size;
    const bool hasBias = m_weights.has(m_names.patch + ".bias") || !m_weights.has("norm_pre.weight");
    ValueId x = m_net.patches(
        m_names.patch, pixels, n.embedDim, {n.patchHeight, n.patchWidth}, hasBias ? Bias::Yes : Bias::No);
    if (!n.positionCoversPrefix) {
        x = addPosition(x);
    }
    std::vector<ValueId> parts;
    for (const std::string& name : {m_names.classToken, m_names.distillationToken}) {
        if (m_weights.has(name)) {
            parts.push_back(m_net.expandedToken(name, m_net.weight(name, {1, 1, n.embedDim}), x));
        }
    }
    if (!parts.empty()) {
        parts.push_back(x);
        x = m_net.node("Concat",
            m_config.form == VitForm::Timm ? "embed" : m_config.prefix + ".embeddings.embed",
            std::move(parts), {-1, n.tokens(), n.embedDim}, {{"axis", std::int64_t {1}}});
    }
    x = n.positionCoversPrefix ? addPosition(x) : x;
    return m_weights.has("norm_pre.weight") ? layerNorm("norm_pre", x) : x;
}

ValueId VitGraphMaker::addPosition(ValueId x)
{
    const std::int64_t rows = m_size.positionCoversPrefix ? m_size.tokens() : m_size.patches();
    const ValueId position = m_net.weight(m_names.position, {1, rows, m_size.embedDim});
    return m_net.sameShape("Add", m_names.position + ".add", {x, position});
}

NetworkBuilder::Operands VitGraphMaker::separateOperands(const std::string& block, ValueId x)
{
    const auto operand = [&](const std::string& part) {
        const std::string name = block + "." + part;
        const ValueId y
            = m_net.linear(name, x, m_size.embedDim, {.bias = m_config.qkvBias ? Bias::Yes : Bias::No});
        return m_net.splitHeads(name, y, m_size.heads);
    };
    const ValueId query = operand(m_names.query);
    const ValueId key = operand(m_names.key);
    return {query, key, operand(m_names.value)};
}

ValueId VitGraphMaker::block(const std::string& name, ValueId x)
{
    const VitDimensions& n = m_size;
    const std::string path = name + "." + m_names.attention;
    ValueId y = layerNorm(name + "." + m_names.norm1, x);
    const NetworkBuilder::Operands operands = m_config.form == VitForm::Timm
        ? m_net.fusedOperands(path, y, n.heads, m_config.qkvBias ? Bias::Yes : Bias::No)
        : separateOperands(name, y);
    y = m_net.attention({.path = path, .key = name + "." + m_names.key}, operands);
    y = m_net.linear(name + "." + m_names.projection, y, n.embedDim);
    y = layerScale(name + ".ls1", y);
    x = m_net.sameShape("Add", name + ".residual1", {x, y});
    y = layerNorm(name + "." + m_names.norm2, x);
    y = m_net.linear(name + "." + m_names.fc1, y, n.mlpDim);
    y = m_net.activation(name + "." + m_names.activation, y, m_config.activation);
    y = m_net.linear(name + "." + m_names.fc2, y, n.embedDim);
    y = layerScale(name + ".ls2", y);
    return m_net.sameShape("Add", name + ".residual2", {x, y});
}

/// Mean over the patch tokens, [B, T, D] -> [B, D].
ValueId VitGraphMaker::pooled(ValueId x)
{
    const VitDimensions& n = m_size;
    if (n.prefixTokens > 0) {
        x = m_net.slice("pool.patches", x, 1, n.prefixTokens, n.tokens());
    }
    return m_net.mean("pool", x);
}

/// x [B, T, D] -> logits [B, classes].
ValueId VitGraphMaker::classifier(ValueId x)
{
    const VitDimensions& n = m_size;
    const bool distilled = m_weights.hasAny(m_names.distillationHead + ".");
    // timm moves the final norm behind the average ("fc_norm").
    const bool normBehindPool = m_weights.has("fc_norm.weight");
    if (!normBehindPool) {
        x = layerNorm(m_names.norm, x);
    }
    ValueId pool = m_config.pooling == VitPooling::Average ? pooled(x) : m_net.token("pool", x, 0);
    if (normBehindPool) {
        pool = layerNorm("fc_norm", pool);
    }
    if (!distilled) {
        return m_net.linear(m_names.head, pool, n.classes, {.value = "logits"});
    }
    const ValueId logits = m_net.linear(m_names.head, pool, n.classes);
    const ValueId other = m_net.linear(m_names.distillationHead, m_net.token("pool_dist", x, 1), n.classes);
    const ValueId sum = m_net.sameShape("Add", "logits.sum", {logits, other});
    return m_net.sameShape("Mul", "logits", {sum, m_net.scalar("logits.half", 0.5F)});
}

std::shared_ptr<const Graph> VitGraphMaker::make()
{
    const VitDimensions& n = m_size;
    ValueId x = m_net.input("pixel_values", DType::F32, {-1, n.channels, n.imageHeight, n.imageWidth});
    x = embedding(x);
    for (std::int64_t i = 0; i < n.depth; ++i) {
        x = block(m_names.block(i), x);
    }
    m_net.output(classifier(x));
    // Anything else inside a block, and these beside the blocks, would change what the network computes.
    m_weights.checkLeftovers(
        {{m_names.blocks, "reg_token", "pre_logits.", "attn_pool.", "rope", "patch_embed."}, {}});
    return m_net.build();
}

} // namespace

std::shared_ptr<const Graph> buildVitGraph(const VitConfig& config, Checkpoint& weights)
{
    return VitGraphMaker(config, weights).make();
}

Network makeVit(const ModelFolder& folder)
{
    const VitConfig config = readVitConfig(folder.path);
    Network result {buildVitGraph(config, folder.weights), ModelTask::Classification};
    if (result.graph->value(result.graph->inputs().front()).dims[1] == 3) {
        result.preprocessing = config.preprocessing;
    }
    return result;
}

} // namespace qs
