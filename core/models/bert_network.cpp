#include "core/models/bert_network.h"

#include "core/base/error.h"
#include "core/io/json_text.h"
#include "core/models/network_builder.h"

namespace qs {

namespace {

class BertMaker
{
public:
    BertMaker(const BertConfig& config, Checkpoint& weights)
        : m_config(config)
        , m_prefix(weights.prefixOf({"bert.", ""}, "embeddings.word_embeddings.weight"))
        , m_weights(weights)
        , m_net(weights)
    {
    }

    std::shared_ptr<const Graph> make(const ConfigReader& config);

private:
    ValueId norm(const std::string& name, ValueId x) { return m_net.layerNorm(name, x, m_config.epsilon); }
    ValueId embedded(ValueId ids);
    ValueId layer(const std::string& path, ValueId x);
    ValueId pooled(ValueId x);
    ValueId classifier(const ConfigReader& config, ValueId x);
    ValueId decoder(ValueId x);

    const BertConfig& m_config;
    std::string m_prefix;
    Checkpoint& m_weights;
    NetworkBuilder m_net;
    ValueId m_mask = kNoValue; ///< [B, 1, 1, T]
};

ValueId BertMaker::embedded(ValueId ids)
{
    const std::string path = m_prefix + "embeddings.";
    const ValueId types = m_net.filledLike("token_type_ids", ids, 0);
    m_mask = m_net.paddingMask("attention_mask.added", m_net.filledLike("attention_mask", ids, 1));
    ValueId x = m_net.embedding(path + "word_embeddings", ids, m_config.vocabulary, m_config.hidden);
    const ValueId type
        = m_net.embedding(path + "token_type_embeddings", types, m_config.tokenTypes, m_config.hidden);
    x = m_net.sameShape("Add", path + "token_type_embeddings.add", {x, type});
    const std::string name = path + "position_embeddings";
    const ValueId table = m_net.weight(name + ".weight", {m_config.positions, m_config.hidden});
    const ValueId position = m_net.firstRows(name, table, m_net.length("positions.length", ids));
    x = m_net.sameShape("Add", name + ".add", {x, position});
    return norm(path + "LayerNorm", x);
}

ValueId BertMaker::layer(const std::string& path, ValueId x)
{
    const std::string self = path + ".attention.self";
    const auto operand = [&](const char* part) {
        const std::string name = self + "." + part;
        return m_net.splitHeads(name, m_net.linear(name, x, m_config.hidden), m_config.heads);
    };
    const ValueId query = operand("query");
    const ValueId key = operand("key");
    const ValueId value = operand("value");
    ValueId y = m_net.attention({.path = self, .key = self + ".key", .masks = {m_mask}}, {query, key, value});
    y = m_net.linear(path + ".attention.output.dense", y, m_config.hidden);
    y = m_net.sameShape("Add", path + ".attention.output.residual", {x, y});
    x = norm(path + ".attention.output.LayerNorm", y);
    y = m_net.linear(path + ".intermediate.dense", x, m_config.mlp);
    y = m_net.activation(path + ".intermediate.act", y, m_config.activation);
    y = m_net.linear(path + ".output.dense", y, m_config.hidden);
    y = m_net.sameShape("Add", path + ".output.residual", {x, y});
    return norm(path + ".output.LayerNorm", y);
}

/// The first token through a layer and tanh: [B, T, D] -> [B, D].
ValueId BertMaker::pooled(ValueId x)
{
    const std::string path = m_prefix + "pooler";
    const ValueId first = m_net.token(path + ".first", x, 0);
    return m_net.sameShape(
        "Tanh", path + ".activation", {m_net.linear(path + ".dense", first, m_config.hidden)});
}

ValueId BertMaker::classifier(const ConfigReader& config, ValueId x)
{
    const std::int64_t classes = m_weights.shapeOf("classifier.weight", 2)[0];
    if (m_config.classes && *m_config.classes != classes) {
        throw Error(ErrorCode::CorruptFile,
            "'" + config.file().string() + "' states " + std::to_string(*m_config.classes)
                + " classes, but tensor 'classifier.weight' of '" + m_weights.fileOf("classifier.weight")
                + "' makes it " + std::to_string(classes));
    }
    return m_net.linear("classifier", pooled(x), classes, {.value = "logits"});
}

/// The masked language model's: a layer, activation and norm, then each word's score.
ValueId BertMaker::decoder(ValueId x)
{
    const std::string path = "cls.predictions.";
    x = m_net.linear(path + "transform.dense", x, m_config.hidden);
    x = m_net.activation(path + "transform.transform_act_fn", x, m_config.activation);
    x = norm(path + "transform.LayerNorm", x);
    const std::string bias = path + (m_weights.has(path + "bias") ? "bias" : "decoder.bias");
    return m_net.linear(path + "decoder", x, m_config.vocabulary,
        {.value = "logits",
            .weight = m_config.tied ? m_prefix + "embeddings.word_embeddings.weight" : std::string(),
            .biasName = bias});
}

std::shared_ptr<const Graph> BertMaker::make(const ConfigReader& config)
{
    const ValueId ids = m_net.input("input_ids", DType::I64, {-1, -1});
    ValueId x = embedded(ids);
    for (std::int64_t i = 0; i < m_config.layers; ++i) {
        x = layer(m_prefix + "encoder.layer." + std::to_string(i), x);
    }
    if (m_config.network == "BertForSequenceClassification") {
        m_net.output(classifier(config, x));
    } else if (m_config.network == "BertForMaskedLM") {
        m_net.output(decoder(x));
    } else {
        m_net.output("last_hidden_state", x);
        if (m_weights.has(m_prefix + "pooler.dense.weight")) {
            m_net.output("pooler_output", pooled(x));
        }
    }
    m_weights.checkLeftovers({{m_prefix + "encoder.layer.", m_prefix + "embeddings."},
        {".position_ids", "cls.predictions.decoder.weight", "cls.predictions.decoder.bias"}});
    return m_net.build();
}

} // namespace

BertConfig readBertConfig(const ConfigReader& config)
{
    BertConfig result;
    result.network = networkClass(config, {"BertModel", "BertForSequenceClassification", "BertForMaskedLM"});
    result.hidden = config.size("hidden_size").value_or(result.hidden);
    result.mlp = config.size("intermediate_size").value_or(result.mlp);
    result.layers = config.size("num_hidden_layers").value_or(result.layers);
    result.heads = config.size("num_attention_heads").value_or(result.heads);
    if (result.hidden % result.heads != 0) {
        config.fail("num_attention_heads", "it must divide the hidden size " + std::to_string(result.hidden));
    }
    result.vocabulary = config.size("vocab_size").value_or(result.vocabulary);
    result.positions = config.size("max_position_embeddings").value_or(result.positions);
    result.tokenTypes = config.size("type_vocab_size").value_or(result.tokenTypes);
    result.classes = config.count("id2label");
    result.epsilon = config.number("layer_norm_eps", 0, 1).value_or(result.epsilon);
    result.activation = activationOf(config, "hidden_act", "gelu");
    result.tied = config.flag("tie_word_embeddings").value_or(true);
    const std::string position = config.text("position_embedding_type").value_or("absolute");
    if (position != "absolute") {
        failUnsupported(config, "position_embedding_type", position);
    }
    if (config.flag("is_decoder").value_or(false)) {
        failUnsupported(config, "is_decoder", "true");
    }
    return result;
}

Network makeBert(const ModelFolder& folder)
{
    const BertConfig config = readBertConfig(folder.config);
    return {BertMaker(config, folder.weights).make(folder.config),
        config.network == "BertForSequenceClassification" ? ModelTask::Classification : ModelTask::Features};
}

} // namespace qs
