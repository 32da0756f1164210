#include "core/models/gpt2_network.h"

#include "core/models/network_builder.h"

#include <cmath>

namespace qs {

namespace {

class Gpt2Maker
{
public:
    Gpt2Maker(const Gpt2Config& config, Checkpoint& weights)
        : m_config(config)
        , m_prefix(weights.prefixOf({"transformer.", ""}, "wte.weight"))
        , m_net(weights)
    {
    }

    std::shared_ptr<const Graph> make();

private:
    /// A layer of the class that stores its matrix [in, out].
    ValueId conv1d(const std::string& name, ValueId x, std::int64_t outputs)
    {
        return m_net.linear(name, x, outputs, {.layout = NetworkBuilder::Layout::InOut});
    }
    ValueId attention(const std::string& path, ValueId x, std::int64_t index);
    ValueId block(std::int64_t index, ValueId x);

    const Gpt2Config& m_config;
    std::string m_prefix;
    NetworkBuilder m_net;
    ValueId m_mask = kNoValue;
};

ValueId Gpt2Maker::attention(const std::string& path, ValueId x, std::int64_t index)
{
    const std::string qkv = path + ".c_attn";
    const ValueId product = conv1d(qkv, x, 3 * m_config.hidden);
    const std::vector<ValueId> parts = m_net.split(
        qkv + ".split", product, 2, {qkv + ".split.query", qkv + ".split.key", qkv + ".split.value"});
    const ValueId query = m_net.splitHeads(path + ".query", parts[0], m_config.heads);
    const ValueId key = m_net.splitHeads(path + ".key", parts[1], m_config.heads);
    const ValueId value = m_net.splitHeads(path + ".value", parts[2], m_config.heads);
    double scale
        = m_config.scaled ? 1 / std::sqrt(static_cast<double>(m_config.hidden / m_config.heads)) : 1.0;
    scale /= m_config.scaledByLayer ? static_cast<double>(index + 1) : 1.0;
    const ValueId context = m_net.attention(
        {.path = path, .key = path + ".key", .masks = {m_mask}, .scale = scale}, {query, key, value});
    return conv1d(path + ".c_proj", context, m_config.hidden);
}

ValueId Gpt2Maker::block(std::int64_t index, ValueId x)
{
    const std::string path = m_prefix + "h." + std::to_string(index);
    ValueId y = m_net.layerNorm(path + ".ln_1", x, m_config.epsilon);
    y = attention(path + ".attn", y, index);
    x = m_net.sameShape("Add", path + ".residual1", {x, y});
    y = m_net.layerNorm(path + ".ln_2", x, m_config.epsilon);
    y = conv1d(path + ".mlp.c_fc", y, m_config.mlp);
    y = m_net.activation(path + ".mlp.act", y, m_config.activation);
    y = conv1d(path + ".mlp.c_proj", y, m_config.hidden);
    return m_net.sameShape("Add", path + ".residual2", {x, y});
}

std::shared_ptr<const Graph> Gpt2Maker::make()
{
    const ValueId ids = m_net.input("input_ids", DType::I64, {-1, -1});
    const std::string embedding = m_prefix + "wte";
    ValueId x = m_net.embedding(embedding, ids, m_config.vocabulary, m_config.hidden);
    const ValueId table = m_net.weight(m_prefix + "wpe.weight", {m_config.positions, m_config.hidden});
    const ValueId length = m_net.length("positions.length", ids);
    x = m_net.sameShape("Add", m_prefix + "wpe.add", {x, m_net.firstRows(m_prefix + "wpe", table, length)});
    m_mask = m_net.causalMask("causal_mask", m_net.positions("positions", length, m_config.positions));
    for (std::int64_t i = 0; i < m_config.layers; ++i) {
        x = block(i, x);
    }
    x = m_net.layerNorm(m_prefix + "ln_f", x, m_config.epsilon);
    if (m_config.hasHead) {
        m_net.output(m_net.linear("lm_head", x, m_config.vocabulary,
            {.bias = NetworkBuilder::Bias::No,
                .value = "logits",
                .weight = m_config.tied ? embedding + ".weight" : "lm_head.weight"}));
    } else {
        m_net.output("last_hidden_state", x);
    }
    m_net.weights().checkLeftovers(
        {{m_prefix + "h."}, {".attn.bias", ".attn.masked_bias", "lm_head.weight"}});
    return m_net.build();
}

} // namespace

Gpt2Config readGpt2Config(const ConfigReader& config)
{
    Gpt2Config result;
    result.hasHead = networkClass(config, {"GPT2LMHeadModel", "GPT2Model"}) == "GPT2LMHeadModel";
    result.hidden = config.size("n_embd").value_or(result.hidden);
    result.mlp = config.size("n_inner").value_or(4 * result.hidden);
    result.layers = config.size("n_layer").value_or(result.layers);
    result.heads = config.size("n_head").value_or(result.heads);
    if (result.hidden % result.heads != 0) {
        config.fail("n_head", "it must divide the hidden size " + std::to_string(result.hidden));
    }
    result.vocabulary = config.size("vocab_size").value_or(result.vocabulary);
    result.positions = config.size("n_positions").value_or(result.positions);
    result.epsilon = config.number("layer_norm_epsilon", 0, 1).value_or(result.epsilon);
    result.activation = activationOf(config, "activation_function", "gelu_new");
    result.scaled = config.flag("scale_attn_weights").value_or(true);
    result.scaledByLayer = config.flag("scale_attn_by_inverse_layer_idx").value_or(false);
    result.tied = config.flag("tie_word_embeddings").value_or(true);
    if (config.flag("add_cross_attention").value_or(false)) {
        failUnsupported(config, "add_cross_attention", "true");
    }
    return result;
}

Network makeGpt2(const ModelFolder& folder)
{
    const Gpt2Config config = readGpt2Config(folder.config);
    return {Gpt2Maker(config, folder.weights).make(),
        config.hasHead ? ModelTask::LanguageModel : ModelTask::Features};
}

} // namespace qs
