#include "core/base/error.h"
#include "core/base/log.h"
#include "core/models/model.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/safetensors_builder.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <random>

using namespace qs;
using namespace qs::test;
using nlohmann::json;

namespace {

const std::filesystem::path kData = QS_TEST_DATA;

std::vector<std::string> siteNames(const Model& model)
{
    std::vector<std::string> names;
    for (const Site& site : model.sites) {
        names.push_back(site.name);
    }
    return names;
}

} // namespace

/// The ViTs of tests/reference/make_tiny_vit.py, and what is wrong with changed copies of them.
class TestVitGraph : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;

    [[nodiscard]] std::filesystem::path folder() const { return m_folder.path().toStdString(); }
    void copyModel(const char* name) const
    {
        for (const char* file : {"config.json", "model.safetensors"}) {
            std::filesystem::copy_file(
                kData / name / file, folder() / file, std::filesystem::copy_options::overwrite_existing);
        }
    }
    void changeConfig(const std::string& pointer, const json& value) const
    {
        json config = json::parse(readFile(folder() / "config.json"));
        config[json::json_pointer(pointer)] = value;
        writeFile(folder() / "config.json", config.dump());
    }
    template<typename Change>
    void changeTensors(Change change) const
    {
        std::vector<RawTensor> tensors = splitSafetensors(readFile(folder() / "model.safetensors"));
        change(tensors);
        writeFile(folder() / "model.safetensors", joinSafetensors(tensors));
    }
    void expectError(ErrorCode code, std::initializer_list<const char*> words) const
    {
        try {
            (void)loadModel(folder());
            QFAIL("opened");
        } catch (const Error& error) {
            QCOMPARE(error.code(), code);
            for (const char* word : words) {
                QVERIFY2(QString(error.what()).contains(word), error.what());
            }
        }
    }

private slots:
    void cleanup() { setLogSink({}); }
    void readsWhatWasWritten()
    {
        for (const char* name :
            {"tiny_vit_timm", "tiny_vit_hf", "tiny_vit_distilled", "tiny_vit_deit3", "tiny_vit_average"}) {
            const auto model = loadModel(kData / name);
            std::int64_t count = 0;
            for (const RawTensor& tensor : splitSafetensors(readFile(kData / name / "model.safetensors"))) {
                const auto value = model->graph->findValue(tensor.name);
                QVERIFY2(value.has_value(), tensor.name.c_str());
                const Tensor& constant = model->graph->value(*value).constant;
                QCOMPARE(constant.shape().dims(), tensor.shape);
                QVERIFY(std::memcmp(constant.bytes(), tensor.bytes.data(), tensor.bytes.size()) == 0);
                count += constant.elementCount();
            }
            QCOMPARE(model->graph->parameterCount(), count);
            for (const Value& value : model->graph->values()) {
                QVERIFY2(value.dimsKnown, value.name.c_str());
            }
        }
    }
    void namesHuggingFacesSites()
    {
        const auto model = loadModel(kData / "tiny_vit_hf");
        const std::string layer = "vit.encoder.layer.0.";
        const std::string attention = layer + "attention.attention.";
        const std::vector<std::string> expected {"vit.embeddings.patch_embeddings.projection.input",
            "vit.embeddings.patch_embeddings.projection.weight", attention + "qkv.input",
            attention + "query.weight", attention + "key.weight", attention + "value.weight",
            attention + "query", attention + "key", attention + "softmax", attention + "value",
            layer + "attention.output.dense.input", layer + "attention.output.dense.weight",
            layer + "intermediate.dense.input", layer + "intermediate.dense.weight",
            layer + "output.dense.input", layer + "output.dense.weight"};
        const std::vector<std::string> names = siteNames(*model);
        QCOMPARE(names.size(), std::size_t {2 + 2 * 14 + 2});
        for (std::size_t i = 0; i < expected.size(); ++i) {
            QCOMPARE(names[i], expected[i]);
        }
        const Site& shared = model->sites[2];
        QCOMPARE(shared.readers.size(), std::size_t {3});
        QVERIFY(shared.role == Role::PostNormQkv);
        QCOMPARE(shared.block, std::string("vit.encoder.layer.0"));
        QVERIFY(model->sites[3].role == Role::PostNormQkv);
        QCOMPARE(model->sites[6].groups, std::int64_t {4});
        QVERIFY(model->sites.back().role == Role::Head);
        QCOMPARE(model->sites.back().name, std::string("classifier.weight"));
    }
    void averagesTwoHeads()
    {
        const auto model = loadModel(kData / "tiny_vit_distilled");
        for (const char* name : {"head.input", "head_dist.input", "head.weight", "head_dist.weight"}) {
            const int index = indexOfSite(model->sites, name);
            QVERIFY2(index >= 0, name);
            QVERIFY2(model->sites[static_cast<std::size_t>(index)].role == Role::Head, name);
        }
    }
    void readsPreprocessingBesideTheModel()
    {
        const auto model = loadModel(kData / "tiny_vit_hf");
        const Preprocessing expected {16, 24, 0, Resampling::Bilinear, {0.5, 0.4, 0.3}, {0.2, 0.3, 0.4}};
        QVERIFY(model->preprocessing == expected);
    }
    void weightsStayInTheMappedFile()
    {
        const auto model = loadModel(kData / "tiny_vit_timm");
        const auto first = model->graph->findValue("blocks.0.mlp.fc1.weight");
        const auto second = model->graph->findValue("blocks.1.mlp.fc1.weight");
        const auto distance
            = model->graph->value(*second).constant.bytes() - model->graph->value(*first).constant.bytes();
        QVERIFY(std::abs(distance) < 120'000); // one mapping holds both
    }

    void namesAContradiction_data();
    void namesAContradiction();
    void namesAMissingTensor()
    {
        for (const char* model : {"tiny_vit_deit3", "tiny_vit_average", "tiny_vit_hf"}) {
            const auto all = splitSafetensors(readFile(kData / model / "model.safetensors"));
            for (const RawTensor& missing : all) {
                copyModel(model);
                changeTensors([&missing](std::vector<RawTensor>& tensors) {
                    std::erase_if(tensors, [&missing](const RawTensor& t) { return t.name == missing.name; });
                });
                try {
                    (void)loadModel(folder());
                    QFAIL(missing.name.c_str());
                } catch (const Error& error) {
                    QVERIFY2(QString(error.what()).contains("model.safetensors"), error.what());
                    // Without its own norm the network would be one with the usual norm; without its class
                    // token one whose position embedding is too long.
                    const bool isVariant = missing.name == "fc_norm.weight"
                        || (missing.name == "cls_token" && std::string(model) == "tiny_vit_average");
                    const std::string named = missing.name == "fc_norm.weight" ? "norm.weight" : "pos_embed";
                    const std::string sentence = error.what();
                    QVERIFY2(
                        sentence.find(isVariant ? named : missing.name) != std::string::npos, error.what());
                }
            }
        }
    }
    void namesAMisshapenTensor()
    {
        for (const char* name : {"cls_token", "pos_embed", "blocks.0.norm1.bias", "blocks.0.attn.qkv.weight",
                 "blocks.0.mlp.fc2.bias", "head.weight", "blocks.0.ls1.gamma"}) {
            copyModel("tiny_vit_deit3");
            changeTensors([name](std::vector<RawTensor>& tensors) {
                const auto it = std::ranges::find(tensors, name, &RawTensor::name);
                it->shape.push_back(1);
            });
            expectError(ErrorCode::CorruptFile, {name, "model.safetensors"});
        }
    }
    void refusesIntegerWeights()
    {
        copyModel("tiny_vit_deit3");
        changeTensors([](std::vector<RawTensor>& tensors) {
            std::ranges::find(tensors, "head.bias", &RawTensor::name)->dtype = "I16";
        });
        expectError(ErrorCode::CorruptFile, {"head.bias", "I16"});
    }
    void warnsOfTensorsItDoesNotUse()
    {
        copyModel("tiny_vit_timm");
        changeTensors([](std::vector<RawTensor>& tensors) {
            tensors.push_back({"extra", "F32", {1}, "0000"});
        });
        std::vector<std::string> warnings;
        setLogSink([&warnings](LogLevel level, std::string_view message) {
            if (level == LogLevel::Warning) {
                warnings.emplace_back(message);
            }
        });
        QVERIFY(loadModel(folder()) != nullptr);
        QCOMPARE(warnings.size(), std::size_t {1});
        QVERIFY2(warnings.front().find("'extra'") != std::string::npos, warnings.front().c_str());
    }
    void refusesVariantsByTheirTensors()
    {
        for (const char* name : {"reg_token", "blocks.0.attn.q_norm.weight", "blocks.7.norm1.weight"}) {
            copyModel("tiny_vit_timm");
            changeTensors([name](std::vector<RawTensor>& tensors) {
                tensors.push_back({name, "F32", {1}, "0000"});
            });
            expectError(ErrorCode::Unsupported, {name});
        }
    }
    void saysWhatIsMissingInAFolder()
    {
        copyModel("tiny_vit_timm");
        std::filesystem::remove(folder() / "model.safetensors");
        expectError(ErrorCode::Io, {"model.safetensors"});
        copyModel("tiny_vit_timm");
        std::filesystem::remove(folder() / "config.json");
        expectError(ErrorCode::Io, {"config.json"});
        writeFile(folder() / "model.txt", "?");
        QVERIFY_THROWS_EXCEPTION(Error, (void)loadModel(folder() / "model.txt"));
        QVERIFY_THROWS_EXCEPTION(Error, (void)loadModel(folder() / "nothing"));
        QVERIFY_THROWS_EXCEPTION(
            Error, (void)loadModel(folder() / std::string(5000, 'n'))); // longer than a name may be
    }
    void survivesFlippedBits()
    {
        copyModel("tiny_vit_distilled");
        const std::string config = readFile(folder() / "config.json");
        const std::string weights = readFile(folder() / "model.safetensors");
        std::uint64_t headerLength = 0;
        std::memcpy(&headerLength, weights.data(), sizeof(headerLength));
        std::mt19937 random(11);
        int refused = 0;
        const PeakAllocation peak;
        for (int i = 0; i < 1500; ++i) {
            std::string changedConfig = config;
            std::string changedWeights = weights;
            std::string& target = i % 3 == 0 ? changedConfig : changedWeights;
            const std::size_t range = i % 3 == 0 ? config.size() : headerLength + 8;
            target[random() % range] ^= static_cast<char>(1U << random() % 8);
            writeFile(folder() / "config.json", changedConfig);
            writeFile(folder() / "model.safetensors", changedWeights);
            try {
                (void)loadModel(folder());
            } catch (const Error& error) { // anything else ends the test
                QVERIFY2(QString(error.what()).contains(folder().c_str()), error.what());
                ++refused;
            }
        }
        QVERIFY2(refused > 700, std::to_string(refused).c_str());
        QVERIFY2(peak.bytes() < 4 << 20, std::to_string(peak.bytes()).c_str());
    }
};

void TestVitGraph::namesAContradiction_data()
{
    QTest::addColumn<QString>("model");
    QTest::addColumn<QString>("pointer");
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("word");
    const auto row = [](const char* model, const char* pointer, const char* value, const char* word) {
        QTest::addRow("%s %s = %s", model, pointer, value) << model << pointer << value << word;
    };
    row("tiny_vit_timm", "/num_classes", "11", "head.weight");
    row("tiny_vit_timm", "/num_classes", "0", "head.weight");
    row("tiny_vit_timm", "/model_args/depth", "3", "blocks.2.norm1.weight");
    row("tiny_vit_timm", "/model_args/depth", "1", "blocks.1.norm1.weight");
    row("tiny_vit_timm", "/model_args/embed_dim", "64", "patch_embed.proj.weight");
    row("tiny_vit_timm", "/model_args/patch_size", "4", "patch_embed.proj.weight");
    row("tiny_vit_timm", "/model_args/img_size", "32", "pos_embed");
    row("tiny_vit_timm", "/model_args/img_size", "20", "20x20");
    row("tiny_vit_timm", "/model_args/img_size", "65536", "pos_embed");
    row("tiny_vit_timm", "/model_args/mlp_ratio", "4", "blocks.0.mlp.fc1.weight");
    row("tiny_vit_timm", "/model_args/in_chans", "1", "patch_embed.proj.weight");
    row("tiny_vit_timm", "/model_args/num_heads", "5", "5 attention heads");
    row("tiny_vit_timm", "/model_args/num_heads", "null", "0 attention heads");
    row("tiny_vit_timm", "/model_args/num_heads", "1048576", "1048576 attention heads");
    row("tiny_vit_hf", "/hidden_size", "48", "projection.weight");
    row("tiny_vit_hf", "/num_hidden_layers", "12", "vit.encoder.layer.2.layernorm_before.weight");
    row("tiny_vit_hf", "/intermediate_size", "128", "intermediate.dense.weight");
    row("tiny_vit_hf", "/num_attention_heads", "7", "7 attention heads");
    row("tiny_vit_hf", "/id2label", "{\"0\":\"a\"}", "classifier.weight");
    row("tiny_vit_hf", "/image_size", "16", "position_embeddings");
    row("tiny_vit_hf", "/model_type", "\"deit\"", "deit.embeddings");
}

void TestVitGraph::namesAContradiction()
{
    QFETCH(const QString, model);
    QFETCH(const QString, pointer);
    QFETCH(const QString, value);
    QFETCH(const QString, word);
    copyModel(model.toUtf8().constData());
    changeConfig(pointer.toStdString(), json::parse(value.toStdString()));
    expectError(ErrorCode::CorruptFile, {"/", word.toUtf8().constData()});
}

QTEST_GUILESS_MAIN(TestVitGraph)
#include "tst_vit_graph.moc"
