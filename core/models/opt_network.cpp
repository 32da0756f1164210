#include "core/models/opt_network.h"

#include "core/models/network_builder.h"

namespace qs {

namespace {

using Bias = NetworkBuilder::Bias;

constexpr std::int64_t kPositionOffset = 2; ///< rows of the position table before position 0
constexpr double kEpsilon = 1e-5;

class OptMaker
{
public:
    OptMaker(const OptConfig& config, Checkpoint& weights)
        : m_config(config)
        , m_prefix(weights.prefixOf({"model.decoder.", "decoder.", ""}, "embed_tokens.weight"))
        , m_net(weights)
    {
    }

    std::shared_ptr<const Graph> make();

private:
    ValueId linear(const std::string& name, ValueId x, std::int64_t outputs)
    {
        return m_net.linear(name, x, outputs, {.bias = m_config.bias ? Bias::Yes : Bias::No});
    }
    ValueId embedded(ValueId ids, ValueId length);
    ValueId attention(const std::string& path, ValueId x);
    ValueId layer(const std::string& path, ValueId x);
    void finish(ValueId x);

    const OptConfig& m_config;
    std::string m_prefix;
    NetworkBuilder m_net;
    ValueId m_mask = kNoValue;
};

ValueId OptMaker::embedded(ValueId ids, ValueId length)
{
    ValueId x = m_net.embedding(m_prefix + "embed_tokens", ids, m_config.vocabulary, m_config.embedding);
    if (m_config.embedding != m_config.hidden) {
        x = m_net.linear(m_prefix + "project_in", x, m_config.hidden, {.bias = Bias::No});
    }
    const std::string name = m_prefix + "embed_positions";
    const ValueId table
        = m_net.weight(name + ".weight", {m_config.positions + kPositionOffset, m_config.hidden});
    return m_net.sameShape("Add", name + ".add", {x, m_net.firstRows(name, table, length, kPositionOffset)});
}

ValueId OptMaker::attention(const std::string& path, ValueId x)
{
    const auto operand = [&](const char* part) {
        const std::string name = path + "." + part;
        return m_net.splitHeads(name, linear(name, x, m_config.hidden), m_config.heads);
    };
    const ValueId query = operand("q_proj");
    const ValueId key = operand("k_proj");
    const ValueId value = operand("v_proj");
    const ValueId context
        = m_net.attention({.path = path, .key = path + ".k_proj", .masks = {m_mask}}, {query, key, value});
    return linear(path + ".out_proj", context, m_config.hidden);
}

ValueId OptMaker::layer(const std::string& path, ValueId x)
{
    const auto norm = [&](const char* name, ValueId value, bool wanted) {
        return wanted ? m_net.layerNorm(path + "." + name, value, kEpsilon) : value;
    };
    ValueId y = norm("self_attn_layer_norm", x, m_config.normBefore);
    y = attention(path + ".self_attn", y);
    x = m_net.sameShape("Add", path + ".residual1", {x, y});
    x = norm("self_attn_layer_norm", x, !m_config.normBefore);
    y = norm("final_layer_norm", x, m_config.normBefore);
    y = linear(path + ".fc1", y, m_config.mlp);
    y = m_net.activation(path + ".activation_fn", y, m_config.activation);
    y = linear(path + ".fc2", y, m_config.hidden);
    x = m_net.sameShape("Add", path + ".residual2", {x, y});
    return norm("final_layer_norm", x, !m_config.normBefore);
}

void OptMaker::finish(ValueId x)
{
    if (m_config.normBefore && m_config.finalNorm) {
        x = m_net.layerNorm(m_prefix + "final_layer_norm", x, kEpsilon);
    }
    if (m_config.embedding != m_config.hidden) {
        x = m_net.linear(m_prefix + "project_out", x, m_config.embedding, {.bias = Bias::No});
    }
    if (m_config.hasHead) {
        m_net.output(m_net.linear("lm_head", x, m_config.vocabulary,
            {.bias = Bias::No,
                .value = "logits",
                .weight = m_config.tied ? m_prefix + "embed_tokens.weight" : "lm_head.weight"}));
    } else {
        m_net.output("last_hidden_state", x);
    }
}

std::shared_ptr<const Graph> OptMaker::make()
{
    const ValueId ids = m_net.input("input_ids", DType::I64, {-1, -1});
    const ValueId length = m_net.length("positions.length", ids);
    ValueId x = embedded(ids, length);
    m_mask = m_net.causalMask("causal_mask", m_net.positions("positions", length, m_config.positions));
    for (std::int64_t i = 0; i < m_config.layers; ++i) {
        x = layer(m_prefix + "layers." + std::to_string(i), x);
    }
    finish(x);
    m_net.weights().checkLeftovers(
        {{m_prefix + "layers.", m_prefix + "final_layer_norm", m_prefix + "project_"}, {"lm_head.weight"}});
    return m_net.build();
}

} // namespace

OptConfig readOptConfig(const ConfigReader& config)
{
    OptConfig result;
    result.hasHead = networkClass(config, {"OPTForCausalLM", "OPTModel"}) == "OPTForCausalLM";
    result.hidden = config.size("hidden_size").value_or(result.hidden);
    result.embedding = config.size("word_embed_proj_dim").value_or(result.hidden);
    result.mlp = config.size("ffn_dim").value_or(result.mlp);
    result.layers = config.size("num_hidden_layers").value_or(result.layers);
    result.heads = config.size("num_attention_heads").value_or(result.heads);
    if (result.hidden % result.heads != 0) {
        config.fail("num_attention_heads", "it must divide the hidden size " + std::to_string(result.hidden));
    }
    result.vocabulary = config.size("vocab_size").value_or(result.vocabulary);
    result.positions = config.size("max_position_embeddings").value_or(result.positions);
    result.activation = activationOf(config, "activation_function", "relu");
    result.normBefore = config.flag("do_layer_norm_before").value_or(true);
    result.finalNorm = !config.flag("_remove_final_layer_norm").value_or(false);
    result.bias = config.flag("enable_bias").value_or(true);
    result.tied = config.flag("tie_word_embeddings").value_or(true);
    if (!config.flag("layer_norm_elementwise_affine").value_or(true)) {
        failUnsupported(config, "layer_norm_elementwise_affine", "false");
    }
    return result;
}

Network makeOpt(const ModelFolder& folder)
{
    const OptConfig config = readOptConfig(folder.config);
    return {OptMaker(config, folder.weights).make(),
        config.hasHead ? ModelTask::LanguageModel : ModelTask::Features};
}

} // namespace qs
