#include "core/models/clip_network.h"

#include "core/models/image_preprocessing.h"
#include "core/models/network_builder.h"

namespace qs {

namespace {

using Dims = NetworkBuilder::Dims;
using Bias = NetworkBuilder::Bias;

class ClipMaker
{
public:
    ClipMaker(const ClipConfig& config, Checkpoint& weights)
        : m_config(config)
        , m_net(weights)
    {
    }

    std::shared_ptr<const Graph> make();

private:
    /// What a tower makes: [B, T, D] and [B, D].
    struct Result
    {
        ValueId hidden, pooled;
    };
    Result vision();
    Result text();
    ValueId lastToken(ValueId ids, ValueId x);
    ValueId encoder(const std::string& path, const ClipTower& tower, ValueId x, std::vector<ValueId> masks);
    ValueId layer(
        const std::string& path, const ClipTower& tower, ValueId x, const std::vector<ValueId>& masks);
    ValueId projected(const char* name, ValueId pooled)
    {
        return m_net.linear(name, pooled, m_config.projection, {.bias = Bias::No});
    }
    ValueId unitLength(const std::string& name, ValueId x);
    void outputTower(const Result& result, const char* projection, const char* embedding);
    void outputBoth();

    const ClipConfig& m_config;
    NetworkBuilder m_net;
};

ValueId ClipMaker::layer(
    const std::string& path, const ClipTower& tower, ValueId x, const std::vector<ValueId>& masks)
{
    const std::string self = path + ".self_attn";
    ValueId y = m_net.layerNorm(path + ".layer_norm1", x, tower.epsilon);
    const auto operand = [&](const char* part) {
        const std::string name = self + "." + part;
        return m_net.splitHeads(name, m_net.linear(name, y, tower.hidden), tower.heads);
    };
    const ValueId query = operand("q_proj");
    const ValueId key = operand("k_proj");
    const ValueId value = operand("v_proj");
    y = m_net.attention({.path = self, .key = self + ".k_proj", .masks = masks}, {query, key, value});
    y = m_net.linear(self + ".out_proj", y, tower.hidden);
    x = m_net.sameShape("Add", path + ".residual1", {x, y});
    y = m_net.layerNorm(path + ".layer_norm2", x, tower.epsilon);
    y = m_net.linear(path + ".mlp.fc1", y, tower.mlp);
    y = m_net.activation(path + ".mlp.activation_fn", y, tower.activation);
    y = m_net.linear(path + ".mlp.fc2", y, tower.hidden);
    return m_net.sameShape("Add", path + ".residual2", {x, y});
}

ValueId ClipMaker::encoder(
    const std::string& path, const ClipTower& tower, ValueId x, std::vector<ValueId> masks)
{
    for (std::int64_t i = 0; i < tower.layers; ++i) {
        x = layer(path + "encoder.layers." + std::to_string(i), tower, x, masks);
    }
    return x;
}

ClipMaker::Result ClipMaker::vision()
{
    const ClipVisionConfig& n = m_config.vision;
    const std::int64_t hidden = n.tower.hidden;
    const std::string path = "vision_model.";
    const ValueId pixels
        = m_net.input("pixel_values", DType::F32, {-1, n.channels, n.imageHeight, n.imageWidth});
    const Dims patch {n.patchHeight, n.patchWidth};
    ValueId x = m_net.patches(path + "embeddings.patch_embedding", pixels, hidden, patch, Bias::No);
    const std::int64_t tokens = m_net.dims(x)[1] + 1;
    const std::string first = path + "embeddings.class_embedding";
    const ValueId token = m_net.expandedToken(first, m_net.weight(first, {hidden}), x);
    x = m_net.node(
        "Concat", path + "embeddings.embed", {token, x}, {-1, tokens, hidden}, {{"axis", std::int64_t {1}}});
    const std::string position = path + "embeddings.position_embedding";
    x = m_net.sameShape("Add", position + ".add", {x, m_net.weight(position + ".weight", {tokens, hidden})});
    x = m_net.layerNorm(path + "pre_layrnorm", x, n.tower.epsilon); // sic: the checkpoint's spelling
    x = encoder(path, n.tower, x, {});
    const ValueId pooled = m_net.token(path + "pool", x, 0);
    return {x, m_net.layerNorm(path + "post_layernorm", pooled, n.tower.epsilon)};
}

/// The state of each text's end: x [B, T, D] -> [B, D].
ValueId ClipMaker::lastToken(ValueId ids, ValueId x)
{
    const std::string path = "text_model.pool";
    const std::int64_t hidden = m_net.width(x);
    ValueId where = ids;
    if (m_config.text.endToken != 2) {
        const ValueId end = m_net.integers(path + ".end", {m_config.text.endToken});
        where = m_net.node("Equal", path + ".is_end", {ids, end}, {-1, -1}, {}, DType::Bool);
        where = m_net.node("Cast", path + ".ends", {where}, {-1, -1}, {{"to", std::int64_t {7}}},
            DType::I64); // 7: int64
    }
    ValueId index = m_net.node("ArgMax", path + ".index", {where}, {-1, 1},
        {{"axis", std::int64_t {1}}, {"keepdims", std::int64_t {1}}}, DType::I64);
    index = m_net.node("Unsqueeze", path + ".column", {index, m_net.integers("unsqueeze.axis", {2})},
        {-1, 1, 1}, {}, DType::I64);
    const ValueId shape = m_net.integers(path + ".shape", {1, 1, hidden});
    index = m_net.node("Expand", path + ".indices", {index, shape}, {-1, 1, hidden}, {}, DType::I64);
    x = m_net.node(
        "GatherElements", path + ".gathered", {x, index}, {-1, 1, hidden}, {{"axis", std::int64_t {1}}});
    return m_net.node("Squeeze", path, {x, m_net.integers(path + ".axes", {1})}, {-1, hidden});
}

ClipMaker::Result ClipMaker::text()
{
    const ClipTextConfig& n = m_config.text;
    const std::string path = "text_model.";
    const ValueId ids = m_net.input("input_ids", DType::I64, {-1, -1});
    ValueId x = m_net.embedding(path + "embeddings.token_embedding", ids, n.vocabulary, n.tower.hidden);
    const std::string position = path + "embeddings.position_embedding";
    const ValueId table = m_net.weight(position + ".weight", {n.positions, n.tower.hidden});
    const ValueId length = m_net.length("positions.length", ids);
    x = m_net.sameShape("Add", position + ".add", {x, m_net.firstRows(position, table, length)});
    const ValueId causal = m_net.causalMask("causal_mask", m_net.positions("positions", length, n.positions));
    const ValueId padding
        = m_net.paddingMask("attention_mask.added", m_net.filledLike("attention_mask", ids, 1));
    x = encoder(path, n.tower, x, {causal, padding});
    x = m_net.layerNorm(path + "final_layer_norm", x, n.tower.epsilon);
    return {x, lastToken(ids, x)};
}

ValueId ClipMaker::unitLength(const std::string& name, ValueId x)
{
    const ValueId size = m_net.node(
        "ReduceL2", name + ".length", {x}, {-1, 1}, {{"axes", Dims {1}}, {"keepdims", std::int64_t {1}}});
    return m_net.sameShape("Div", name, {x, size});
}

void ClipMaker::outputTower(const Result& result, const char* projection, const char* embedding)
{
    if (m_config.network.ends_with("WithProjection")) {
        m_net.output(embedding, projected(projection, result.pooled));
        m_net.output("last_hidden_state", result.hidden);
    } else {
        m_net.output("last_hidden_state", result.hidden);
        m_net.output("pooler_output", result.pooled);
    }
}

void ClipMaker::outputBoth()
{
    const ValueId texts = unitLength("text_embeds", projected("text_projection", text().pooled));
    const ValueId images = unitLength("image_embeds", projected("visual_projection", vision().pooled));
    const ValueId scale = m_net.node("Exp", "logit_scale.exp", {m_net.weight("logit_scale", Shape {})}, {});
    const ValueId columns = m_net.transpose("text_embeds.columns", texts, {1, 0});
    const ValueId products = m_net.node("MatMul", "similarity", {images, columns}, {-1, -1});
    const ValueId perImage = m_net.node("Mul", "logits_per_image", {products, scale}, {-1, -1});
    m_net.output(perImage);
    m_net.output(m_net.transpose("logits_per_text", perImage, {1, 0}));
    m_net.output(texts);
    m_net.output(images);
}

std::shared_ptr<const Graph> ClipMaker::make()
{
    Checkpoint::Leftovers leftovers {{}, {".position_ids"}};
    if (m_config.network == "CLIPModel") {
        outputBoth();
        leftovers.decisive = {"vision_model.", "text_model."};
    } else if (m_config.network.starts_with("CLIPVision")) {
        outputTower(vision(), "visual_projection", "image_embeds");
        leftovers.decisive = {"vision_model."};
    } else {
        outputTower(text(), "text_projection", "text_embeds");
        leftovers.decisive = {"text_model."};
    }
    m_net.weights().checkLeftovers(leftovers);
    return m_net.build();
}

void readTower(const ConfigReader& config, ClipTower& tower)
{
    tower.hidden = config.size("hidden_size").value_or(tower.hidden);
    tower.mlp = config.size("intermediate_size").value_or(tower.mlp);
    tower.layers = config.size("num_hidden_layers").value_or(tower.layers);
    tower.heads = config.size("num_attention_heads").value_or(tower.heads);
    if (tower.hidden % tower.heads != 0) {
        config.fail("num_attention_heads", "it must divide the hidden size " + std::to_string(tower.hidden));
    }
    tower.epsilon = config.number("layer_norm_eps", 0, 1).value_or(tower.epsilon);
    tower.activation = activationOf(config, "hidden_act", "quick_gelu");
}

ClipVisionConfig readVision(const ConfigReader& config)
{
    ClipVisionConfig result;
    readTower(config, result.tower);
    result.channels = config.size("num_channels").value_or(result.channels);
    const auto image = config.extent("image_size").value_or(std::pair(result.imageHeight, result.imageWidth));
    const auto patch = config.extent("patch_size").value_or(std::pair(result.patchHeight, result.patchWidth));
    if (image.first % patch.first != 0 || image.second % patch.second != 0) {
        config.fail("patch_size",
            "patches must fill the image of " + std::to_string(image.first) + "x"
                + std::to_string(image.second));
    }
    result.imageHeight = image.first;
    result.imageWidth = image.second;
    result.patchHeight = patch.first;
    result.patchWidth = patch.second;
    return result;
}

ClipTextConfig readText(const ConfigReader& config)
{
    ClipTextConfig result;
    readTower(config, result.tower);
    result.vocabulary = config.size("vocab_size").value_or(result.vocabulary);
    result.positions = config.size("max_position_embeddings").value_or(result.positions);
    result.endToken = config.integer("eos_token_id", 0, 1 << 30).value_or(result.endToken);
    return result;
}

} // namespace

ClipConfig readClipConfig(const ConfigReader& config)
{
    const std::vector<std::string> vision {"CLIPVisionModel", "CLIPVisionModelWithProjection"};
    const std::vector<std::string> text {"CLIPTextModel", "CLIPTextModelWithProjection"};
    const std::string type = config.text("model_type").value_or("clip");
    ClipConfig result;
    if (type == "clip_vision_model") {
        result.network = networkClass(config, vision);
    } else if (type == "clip_text_model") {
        result.network = networkClass(config, text);
    } else {
        result.network = networkClass(config, {"CLIPModel", vision[0], vision[1], text[0], text[1]});
    }
    // A tower's own file has the tower's keys at its top.
    result.vision = readVision(type == "clip" ? config.object("vision_config") : config);
    result.text = readText(type == "clip" ? config.object("text_config") : config);
    result.projection = config.size("projection_dim").value_or(result.projection);
    return result;
}

Network makeClip(const ModelFolder& folder)
{
    const ClipConfig config = readClipConfig(folder.config);
    Network result {ClipMaker(config, folder.weights).make(), ModelTask::Features};
    if (!config.network.starts_with("CLIPText") && config.vision.channels == 3) {
        // OpenAI's mean and deviation.
        const Preprocessing assumed {config.vision.imageHeight, config.vision.imageWidth,
            std::min(config.vision.imageHeight, config.vision.imageWidth), Resampling::Bicubic,
            {0.48145466, 0.4578275, 0.40821073}, {0.26862954, 0.26130258, 0.27577711}};
        result.preprocessing = readHuggingFacePreprocessing(folder.path, assumed);
    }
    return result;
}

} // namespace qs
