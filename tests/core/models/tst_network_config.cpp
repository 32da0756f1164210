#include "core/base/error.h"
#include "core/models/architecture.h"
#include "core/models/bert_network.h"
#include "core/models/clip_network.h"
#include "core/models/gpt2_network.h"
#include "core/models/llama_network.h"
#include "core/models/opt_network.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/safetensors_builder.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <random>

using namespace qs;
using namespace qs::test;
using nlohmann::json;

namespace {

const std::filesystem::path kData = QS_TEST_DATA;
constexpr std::ptrdiff_t kFewBytes = 24
    << 20; // position numbers of the longest sequence a file may state are 8 MiB
constexpr qint64 kSoon = 2000; // ms
const std::array kFolders {"hf_gpt2", "hf_opt", "hf_llama3", "hf_bert_classifier", "hf_clip",
    "hf_clip_vision", "hf_clip_text", "hf_swin", "timm_swin", "hf_deit_distilled"};

/// Pointers to everything in a configuration that is not an object.
std::vector<json::json_pointer> leavesOf(const json& root)
{
    std::vector<json::json_pointer> result;
    const json flat = root.flatten();
    for (const auto& [pointer, value] : flat.items()) {
        result.emplace_back(pointer);
        if (pointer.ends_with("/0")) {
            result.push_back(json::json_pointer(pointer).parent_pointer()); // the list itself
        }
    }
    return result;
}

} // namespace

/// Configurations of all architectures, and what is wrong with changed copies of them.
class TestNetworkConfig : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;

    [[nodiscard]] std::filesystem::path folder() const { return m_folder.path().toStdString(); }
    [[nodiscard]] ConfigReader configOf(const std::string& text) const
    {
        writeFile(folder() / "config.json", text);
        return ConfigReader(folder() / "config.json");
    }
    /// The sentence, or "" when the model opens. Anything but an Error ends the test.
    [[nodiscard]] std::string errorOf(const std::string& config) const
    {
        writeFile(folder() / "config.json", config);
        try {
            (void)loadModel(folder());
        } catch (const Error& error) {
            return error.what();
        }
        return {};
    }
    static void addFolders()
    {
        QTest::addColumn<QString>("name");
        for (const char* name : kFolders) {
            QTest::newRow(name) << name;
        }
    }

private slots:
    void knowsDefaults();
    void scalesRotaryFrequencies();
    void survivesHostileValues_data() { addFolders(); }
    void survivesHostileValues();
    void survivesFlippedBits_data() { addFolders(); }
    void survivesFlippedBits();
    void refusesByName_data();
    void refusesByName();
};

void TestNetworkConfig::knowsDefaults()
{
    const LlamaConfig llama = readLlamaConfig(configOf(R"({"model_type": "llama"})"));
    QCOMPARE(llama.hidden, std::int64_t {4096});
    QCOMPARE(llama.keyValueHeads, std::int64_t {32});
    QCOMPARE(llama.headDim, std::int64_t {128});
    QCOMPARE(llama.epsilon, 1e-6);
    QVERIFY(llama.hasHead && !llama.tied);
    const Gpt2Config gpt2 = readGpt2Config(configOf(R"({"n_embd": 1024, "n_head": 16, "n_inner": null})"));
    QCOMPARE(gpt2.mlp, std::int64_t {4096});
    QCOMPARE(std::get<std::string>(gpt2.activation.attributes.at("approximate")), std::string("tanh"));
    QVERIFY(gpt2.tied);
    const OptConfig opt = readOptConfig(configOf(R"({"hidden_size": 1024, "num_attention_heads": 16, "word_embed_proj_dim": 512})"));
    QCOMPARE(opt.embedding, std::int64_t {512});
    QCOMPARE(opt.activation.op, std::string("Relu"));
    const BertConfig bert = readBertConfig(configOf("{}"));
    QCOMPARE(bert.network, std::string("BertModel"));
    QCOMPARE(bert.epsilon, 1e-12);
    const ClipConfig clip
        = readClipConfig(configOf(R"({"model_type": "clip", "text_config": {"eos_token_id": 2}})"));
    QCOMPARE(clip.network, std::string("CLIPModel"));
    QCOMPARE(clip.vision.patchHeight, std::int64_t {32});
    QCOMPARE(clip.text.endToken, std::int64_t {2});
    QCOMPARE(std::get<double>(clip.text.tower.activation.attributes.at("alpha")), 1.702);
}

void TestNetworkConfig::scalesRotaryFrequencies()
{
    // head_dim 128, theta 500000: pairs 0, 32 and 63 have frequencies 1, 500000^-1/2 and 500000^(-63/64).
    // Waves of 2 pi, 4443 and 2559193 tokens: shorter than 8192 / 4 (kept), between 2048 and 8192, longer
    // than 8192 (over 8).
    const auto frequencies = [&](const std::string& scaling) {
        return readLlamaConfig(configOf(R"({"rope_theta": 500000.0, "rope_scaling": )" + scaling + "}"))
            .frequencies;
    };
    const auto near = [](float actual, double expected) {
        return std::abs(static_cast<double>(actual) / expected - 1) < 1e-6;
    };
    const double middle = std::pow(500000.0, -0.5);
    const double last = std::pow(500000.0, -63.0 / 64);
    const std::vector<float> plain = frequencies("null");
    QVERIFY(near(plain[0], 1) && near(plain[32], middle) && near(plain[63], last));
    const std::vector<float> linear = frequencies(R"({"type": "linear", "factor": 4})");
    QVERIFY(near(linear[0], 0.25) && near(linear[32], middle / 4) && near(linear[63], last / 4));
    const std::vector<float> llama3 = frequencies(
        R"({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,)"
        R"( "original_max_position_embeddings": 8192})");
    const double turns = 8192 * middle / 6.283185307179586;
    const double smooth = (turns - 1) / 3;
    QVERIFY(smooth > 0 && smooth < 1);
    QVERIFY(near(llama3[0], 1) && near(llama3[32], (1 - smooth) * middle / 8 + smooth * middle));
    QVERIFY(near(llama3[63], last / 8));
}

void TestNetworkConfig::survivesHostileValues()
{
    QFETCH(const QString, name);
    const json good = json::parse(readFile(kData / name.toStdString() / "config.json"));
    writeFile(folder() / "model.safetensors", readFile(kData / name.toStdString() / "model.safetensors"));
    QCOMPARE(errorOf(good.dump()), std::string());
    int refused = 0;
    int tried = 0;
    QElapsedTimer timer;
    timer.start();
    const PeakAllocation peak;
    for (const json::json_pointer& pointer : leavesOf(good)) {
        for (const char* hostile :
            {"0", "-1", "1", "7", "1048576", "9223372036854775807", "18446744073709551615", "1e30", "-1e300",
                "0.5", "true", "\"text\"", "[]", "[1,2,3]", "{}", "null"}) {
            json changed = good;
            changed[pointer] = json::parse(hostile);
            ++tried;
            refused += errorOf(changed.dump()).empty() ? 0 : 1;
        }
    }
    QVERIFY2(refused > tried / 3, (std::to_string(refused) + " of " + std::to_string(tried)).c_str());
    QVERIFY2(peak.bytes() < kFewBytes, std::to_string(peak.bytes()).c_str());
    QVERIFY2(timer.elapsed() < 10 * kSoon, std::to_string(timer.elapsed()).c_str());
}

void TestNetworkConfig::survivesFlippedBits()
{
    QFETCH(const QString, name);
    const std::string good = readFile(kData / name.toStdString() / "config.json");
    writeFile(folder() / "model.safetensors", readFile(kData / name.toStdString() / "model.safetensors"));
    std::mt19937 random(5);
    int refused = 0;
    for (int i = 0; i < 400; ++i) {
        std::string text = good;
        text[random() % text.size()] ^= static_cast<char>(1U << random() % 8);
        refused += errorOf(text).empty() ? 0 : 1;
    }
    QVERIFY2(refused > 100, std::to_string(refused).c_str());
}

void TestNetworkConfig::refusesByName_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("pointer");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("word");
    const auto row = [](const char* name, const char* pointer, const char* value, const char* word) {
        QTest::addRow("%s %s = %s", name, pointer, value) << name << pointer << value << word;
    };
    for (const char* name : {"hf_gpt2", "hf_opt", "hf_llama3", "hf_bert_classifier", "hf_clip", "hf_swin"}) {
        row(name, "/architectures", "[\"OtherModel\"]", "'OtherModel'");
        row(name, "/architectures", "\"OtherModel\"", "architectures");
        row(name, "/architectures", "[7]", "architectures");
        row(name, "/model_type", "\"mamba\"", "'mamba'");
    }
    row("hf_gpt2", "/n_head", "5", "n_head");
    row("hf_gpt2", "/n_embd", "\"32\"", "n_embd");
    row("hf_gpt2", "/n_layer", "3", "transformer.h.2.ln_1.weight");
    row("hf_gpt2", "/n_layer", "1", "transformer.h.1.");
    row("hf_gpt2", "/vocab_size", "60", "transformer.wte.weight");
    row("hf_gpt2", "/n_positions", "25", "transformer.wpe.weight");
    row("hf_gpt2", "/n_inner", "65", "mlp.c_fc.weight");
    row("hf_gpt2", "/activation_function", "\"selu\"", "'selu'");
    row("hf_gpt2", "/layer_norm_epsilon", "-1", "layer_norm_epsilon");
    row("hf_gpt2", "/tie_word_embeddings", "false", "lm_head.weight");
    row("hf_gpt2", "/add_cross_attention", "true", "add_cross_attention");
    row("hf_opt", "/num_attention_heads", "7", "num_attention_heads");
    row("hf_opt", "/do_layer_norm_before", "false", "model.decoder.final_layer_norm");
    row("hf_opt", "/_remove_final_layer_norm", "true", "model.decoder.final_layer_norm");
    row("hf_opt", "/word_embed_proj_dim", "16", "embed_tokens.weight");
    row("hf_opt", "/max_position_embeddings", "23", "embed_positions.weight");
    row("hf_opt", "/layer_norm_elementwise_affine", "false", "layer_norm_elementwise_affine");
    row("hf_opt", "/enable_bias", "1", "enable_bias");
    row("hf_opt", "/enable_bias", "false", "bias");
    row("hf_llama3", "/num_key_value_heads", "3", "num_key_value_heads");
    row("hf_llama3", "/num_key_value_heads", "4", "k_proj.weight");
    row("hf_llama3", "/head_dim", "11", "head_dim");
    row("hf_llama3", "/head_dim", "14", "q_proj.weight");
    row("hf_llama3", "/hidden_act", "\"gelu\"", "hidden_act");
    row("hf_llama3", "/attention_bias", "true", "q_proj.bias");
    row("hf_llama3", "/rope_scaling/rope_type", "\"yarn\"", "'yarn'");
    row("hf_llama3", "/rope_scaling/factor", "0", "factor");
    row("hf_llama3", "/rope_scaling/factor", "null", "factor");
    row("hf_llama3", "/rope_scaling/high_freq_factor", "1.0", "high_freq_factor");
    row("hf_llama3", "/rope_scaling", "7", "rope_scaling");
    row("hf_llama3", "/rope_theta", "-1", "rope_theta");
    row("hf_bert_classifier", "/num_attention_heads", "5", "num_attention_heads");
    row("hf_bert_classifier", "/type_vocab_size", "3", "token_type_embeddings.weight");
    row("hf_bert_classifier", "/position_embedding_type", "\"relative_key\"", "'relative_key'");
    row("hf_bert_classifier", "/is_decoder", "true", "is_decoder");
    row("hf_bert_classifier", "/id2label", "{\"0\": \"a\"}", "classifier.weight");
    row("hf_clip", "/vision_config/num_attention_heads", "5", "num_attention_heads");
    row("hf_clip", "/vision_config/patch_size", "5", "patch_size");
    row("hf_clip", "/vision_config/image_size", "32", "position_embedding.weight");
    row("hf_clip", "/text_config", "[]", "text_config");
    row("hf_clip", "/text_config/eos_token_id", "-1", "eos_token_id");
    row("hf_clip", "/projection_dim", "21", "text_projection.weight");
    row("hf_clip", "/text_config/num_hidden_layers", "1", "text_model.encoder.layers.1.");
    row("hf_swin", "/depths", "[2]", "1 depths");
    row("hf_swin", "/depths", "[2, 3]", "blocks.2.layernorm_before.weight");
    row("hf_swin", "/depths", "[2, 1]", "layers.1.blocks.1.");
    row("hf_swin", "/depths", "[0, 2]", "depths");
    row("hf_swin", "/num_heads", "[2, 5]", "5 heads");
    row("hf_swin", "/num_heads", "[2, 8]", "relative_position_bias_table");
    row("hf_swin", "/window_size", "3", "padding");
    row("hf_swin", "/window_size", "2", "relative_position_bias_table");
    row("hf_swin", "/image_size", "17", "17x17");
    row("hf_swin", "/image_size", "40", "padding");
    row("hf_swin", "/mlp_ratio", "4.0", "intermediate.dense.weight");
    row("hf_swin", "/use_absolute_embeddings", "true", "position_embeddings");
    row("timm_swin", "/architecture", "\"swin_s3_tiny_224\"", "swin_s3_tiny_224");
    row("timm_swin", "/architecture", "\"swinv2_tiny_window8_256\"", "swinv2_tiny_window8_256");
    row("timm_swin", "/num_classes", "7", "head.fc.weight");
    row("timm_swin", "/pretrained_cfg/input_size", "[3, 20, 20]", "padding");
    row("timm_swin", "/model_args/window_size", "4", "padding");
}

void TestNetworkConfig::refusesByName()
{
    QFETCH(const QString, name);
    QFETCH(const QString, pointer);
    QFETCH(const QString, value);
    QFETCH(const QString, word);
    json config = json::parse(readFile(kData / name.toStdString() / "config.json"));
    writeFile(folder() / "model.safetensors", readFile(kData / name.toStdString() / "model.safetensors"));
    config[json::json_pointer(pointer.toStdString())] = json::parse(value.toStdString());
    const std::string error = errorOf(config.dump());
    QVERIFY2(error.find(word.toStdString()) != std::string::npos, error.c_str());
    QVERIFY2(error.find(folder().string()) != std::string::npos, error.c_str());
}

QTEST_GUILESS_MAIN(TestNetworkConfig)
#include "tst_network_config.moc"
