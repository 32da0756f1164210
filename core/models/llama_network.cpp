#include "core/models/llama_network.h"

#include "core/models/network_builder.h"

#include <cmath>
#include <numbers>

namespace qs {

namespace {

/// The frequencies of LLaMA 3.1: long waves slowed by `factor`, short ones kept, those between blended.
double llama3Frequency(double frequency, const ConfigReader& scaling, double factor)
{
    const double low = scaling.number("low_freq_factor", 1e-3, 1e6).value_or(1.0);
    const double high = scaling.number("high_freq_factor", 1e-3, 1e6).value_or(4.0);
    const auto original
        = static_cast<double>(scaling.size("original_max_position_embeddings").value_or(8192));
    if (high <= low) {
        scaling.fail("high_freq_factor", "it must be above low_freq_factor");
    }
    const double turns = original * frequency / (2 * std::numbers::pi); // within the original context
    if (turns < low) {
        return frequency / factor;
    }
    if (turns > high) {
        return frequency;
    }
    const double kept = (turns - low) / (high - low);
    return (1 - kept) * frequency / factor + kept * frequency;
}

std::vector<float> rotaryFrequencies(const ConfigReader& config, std::int64_t headDim)
{
    // Newer files keep theta beside the scaling in "rope_parameters".
    const ConfigReader parameters = config.object("rope_parameters");
    const ConfigReader scaling = parameters.empty() ? config.object("rope_scaling") : parameters;
    const ConfigReader& base = parameters.has("rope_theta") ? parameters : config;
    const double theta = base.number("rope_theta", 1e-3, 1e12).value_or(10000.0);
    const std::string type = scaling.text("rope_type").value_or(scaling.text("type").value_or("default"));
    if (type != "default" && type != "linear" && type != "llama3") {
        failUnsupported(config, "the rope_type", type);
    }
    if (type != "default" && !scaling.has("factor")) {
        scaling.fail("factor", "a scaled rotary embedding needs it");
    }
    const double factor = scaling.number("factor", 1e-3, 1e6).value_or(1.0);
    std::vector<float> result;
    for (std::int64_t i = 0; i < headDim / 2; ++i) {
        double frequency = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(headDim));
        if (type == "linear") {
            frequency /= factor;
        } else if (type == "llama3") {
            frequency = llama3Frequency(frequency, scaling, factor);
        }
        result.push_back(static_cast<float>(frequency));
    }
    return result;
}

class LlamaMaker
{
public:
    LlamaMaker(const LlamaConfig& config, Checkpoint& weights)
        : m_config(config)
        , m_prefix(weights.prefixOf({"model.", ""}, "embed_tokens.weight"))
        , m_net(weights)
    {
    }

    std::shared_ptr<const Graph> make();

private:
    void prepareRotation(ValueId ids);
    ValueId rotated(const std::string& name, ValueId x);
    ValueId repeated(const std::string& name, ValueId x);
    ValueId attention(const std::string& path, ValueId x);
    ValueId layer(const std::string& path, ValueId x);
    ValueId gatedMlp(const std::string& path, ValueId x);

    const LlamaConfig& m_config;
    std::string m_prefix;
    NetworkBuilder m_net;
    ValueId m_mask = kNoValue; ///< [T, T]
    ValueId m_cosines = kNoValue; ///< [T, d / 2]
    ValueId m_sines = kNoValue;
    ValueId m_positionIds = kNoValue; ///< [B, T]
    ValueId m_repeatedDims = kNoValue; ///< int64 [5], of keys and values shared by several heads
};

/// Mask, cosines and sines for as many positions as the ids have.
void LlamaMaker::prepareRotation(ValueId ids)
{
    const ValueId length = m_net.length("positions.length", ids);
    const ValueId positions = m_net.positions("positions", length, m_config.positions);
    m_mask = m_net.causalMask("causal_mask", positions);
    const ValueId shape = m_net.node("Shape", "position_ids.shape", {ids}, {2}, {}, DType::I64);
    m_positionIds = m_net.node("Expand", "position_ids", {positions, shape}, {-1, -1}, {}, DType::I64);

    const auto half = static_cast<std::int64_t>(m_config.frequencies.size());
    const ValueId numbers = m_net.node(
        "Cast", "rotary_emb.positions", {positions}, {-1}, {{"to", std::int64_t {1}}}); // 1: float
    const ValueId column = m_net.node(
        "Unsqueeze", "rotary_emb.column", {numbers, m_net.integers("unsqueeze.last", {1})}, {-1, 1});
    const ValueId frequencies = m_net.table("rotary_emb.inv_freq", m_config.frequencies);
    const ValueId angles = m_net.node("Mul", "rotary_emb.angles", {column, frequencies}, {-1, half});
    m_cosines = m_net.sameShape("Cos", "rotary_emb.cos", {angles});
    m_sines = m_net.sameShape("Sin", "rotary_emb.sin", {angles});
    if (m_config.keyValueHeads != m_config.heads) {
        const ValueId batch = m_net.node("Shape", "repeat.batch", {ids}, {1},
            {{"start", std::int64_t {0}}, {"end", std::int64_t {1}}}, DType::I64);
        std::vector<ValueId> parts {batch,
            m_net.integers("repeat.heads", {m_config.keyValueHeads, m_config.heads / m_config.keyValueHeads}),
            length, m_net.integers("repeat.head_dim", {m_config.headDim})};
        m_repeatedDims = m_net.node(
            "Concat", "repeat.shape", std::move(parts), {5}, {{"axis", std::int64_t {0}}}, DType::I64);
    }
}

/// Pairs (i, i + d / 2) of each head turned by their position's angle (arXiv 2104.09864).
ValueId LlamaMaker::rotated(const std::string& name, ValueId x)
{
    return m_net.sameShape("RotaryEmbedding", name + ".rotary", {x, m_cosines, m_sines, m_positionIds});
}

/// [B, kv, T, d] -> [B, heads, T, d], each head as often as queries share it.
ValueId LlamaMaker::repeated(const std::string& name, ValueId x)
{
    if (m_repeatedDims == kNoValue) {
        return x;
    }
    const std::int64_t group = m_config.heads / m_config.keyValueHeads;
    const ValueId apart = m_net.node("Unsqueeze", name + ".group", {x, m_net.integers("repeat.axis", {2})},
        {-1, m_config.keyValueHeads, 1, -1, m_config.headDim});
    const ValueId many = m_net.node("Expand", name + ".repeat", {apart, m_repeatedDims},
        {-1, m_config.keyValueHeads, group, -1, m_config.headDim});
    const ValueId shape = m_net.integers("repeat.joined", {0, m_config.heads, -1, m_config.headDim});
    return m_net.node(
        "Reshape", name + ".repeated", {many, shape}, {-1, m_config.heads, -1, m_config.headDim});
}

ValueId LlamaMaker::attention(const std::string& path, ValueId x)
{
    const NetworkBuilder::Bias bias
        = m_config.attentionBias ? NetworkBuilder::Bias::Yes : NetworkBuilder::Bias::No;
    const auto operand = [&](const char* part, std::int64_t heads) {
        const std::string name = path + "." + part;
        return m_net.splitHeads(name, m_net.linear(name, x, heads * m_config.headDim, {.bias = bias}), heads);
    };
    const ValueId query = rotated(path + ".q_proj", operand("q_proj", m_config.heads));
    const ValueId key = rotated(path + ".k_proj", operand("k_proj", m_config.keyValueHeads));
    const ValueId value = operand("v_proj", m_config.keyValueHeads);
    const ValueId context = m_net.attention({.path = path, .key = path + ".k_proj", .masks = {m_mask}},
        {query, repeated(path + ".k_proj", key), repeated(path + ".v_proj", value)});
    return m_net.linear(path + ".o_proj", context, m_config.hidden, {.bias = bias});
}

ValueId LlamaMaker::gatedMlp(const std::string& path, ValueId x)
{
    const NetworkBuilder::Bias bias = m_config.mlpBias ? NetworkBuilder::Bias::Yes : NetworkBuilder::Bias::No;
    const ValueId gate = m_net.linear(path + ".gate_proj", x, m_config.mlp, {.bias = bias});
    const ValueId active = m_net.activation(path + ".act_fn", gate, {.op = "Swish", .attributes = {}});
    const ValueId up = m_net.linear(path + ".up_proj", x, m_config.mlp, {.bias = bias});
    const ValueId product = m_net.sameShape("Mul", path + ".gated", {active, up});
    return m_net.linear(path + ".down_proj", product, m_config.hidden, {.bias = bias});
}

ValueId LlamaMaker::layer(const std::string& path, ValueId x)
{
    ValueId y = m_net.rmsNorm(path + ".input_layernorm", x, m_config.epsilon);
    y = attention(path + ".self_attn", y);
    x = m_net.sameShape("Add", path + ".residual1", {x, y});
    y = m_net.rmsNorm(path + ".post_attention_layernorm", x, m_config.epsilon);
    y = gatedMlp(path + ".mlp", y);
    return m_net.sameShape("Add", path + ".residual2", {x, y});
}

std::shared_ptr<const Graph> LlamaMaker::make()
{
    const ValueId ids = m_net.input("input_ids", DType::I64, {-1, -1});
    const std::string embedding = m_prefix + "embed_tokens";
    ValueId x = m_net.embedding(embedding, ids, m_config.vocabulary, m_config.hidden);
    prepareRotation(ids);
    for (std::int64_t i = 0; i < m_config.layers; ++i) {
        x = layer(m_prefix + "layers." + std::to_string(i), x);
    }
    x = m_net.rmsNorm(m_prefix + "norm", x, m_config.epsilon);
    if (m_config.hasHead) {
        m_net.output(m_net.linear("lm_head", x, m_config.vocabulary,
            {.bias = NetworkBuilder::Bias::No,
                .value = "logits",
                .weight = m_config.tied ? embedding + ".weight" : "lm_head.weight"}));
    } else {
        m_net.output("last_hidden_state", x);
    }
    m_net.weights().checkLeftovers({{m_prefix + "layers."}, {".rotary_emb.inv_freq", "lm_head.weight"}});
    return m_net.build();
}

} // namespace

LlamaConfig readLlamaConfig(const ConfigReader& config)
{
    LlamaConfig result;
    result.hasHead = networkClass(config, {"LlamaForCausalLM", "LlamaModel"}) == "LlamaForCausalLM";
    result.hidden = config.size("hidden_size").value_or(result.hidden);
    result.mlp = config.size("intermediate_size").value_or(result.mlp);
    result.layers = config.size("num_hidden_layers").value_or(result.layers);
    result.heads = config.size("num_attention_heads").value_or(result.heads);
    result.keyValueHeads = config.size("num_key_value_heads").value_or(result.heads);
    if (result.heads % result.keyValueHeads != 0) {
        config.fail("num_key_value_heads", "it must divide the " + std::to_string(result.heads) + " heads");
    }
    if (!config.has("head_dim") && result.hidden % result.heads != 0) {
        config.fail("num_attention_heads", "it must divide the hidden size " + std::to_string(result.hidden));
    }
    result.headDim = config.size("head_dim").value_or(result.hidden / result.heads);
    if (result.headDim % 2 != 0) {
        config.fail("head_dim", "a rotary embedding needs heads of an even dimension");
    }
    result.vocabulary = config.size("vocab_size").value_or(result.vocabulary);
    result.positions = config.size("max_position_embeddings").value_or(result.positions);
    result.epsilon = config.number("rms_norm_eps", 0, 1).value_or(result.epsilon);
    result.attentionBias = config.flag("attention_bias").value_or(false);
    result.mlpBias = config.flag("mlp_bias").value_or(false);
    result.tied = config.flag("tie_word_embeddings").value_or(false);
    const std::string activation = config.text("hidden_act").value_or("silu");
    if (activation != "silu" && activation != "swish") {
        failUnsupported(config, "hidden_act", activation);
    }
    result.frequencies = rotaryFrequencies(config, result.headDim);
    return result;
}

Network makeLlama(const ModelFolder& folder)
{
    const LlamaConfig config = readLlamaConfig(folder.config);
    return {LlamaMaker(config, folder.weights).make(),
        config.hasHead ? ModelTask::LanguageModel : ModelTask::Features};
}

} // namespace qs
