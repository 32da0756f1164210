#include "core/base/error.h"
#include "core/io/npy_file.h"
#include "core/models/model.h"
#include "core/runtime/executor.h"
#include "tests/support/safetensors_builder.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <set>

using namespace qs;
using namespace qs::test;
using nlohmann::json;

namespace {

const std::filesystem::path kData = QS_TEST_DATA;

struct Case
{
    const char* name;
    ModelTask task;
};
constexpr std::array kCases {Case {"hf_gpt2", ModelTask::LanguageModel},
    Case {"hf_gpt2_model", ModelTask::Features}, Case {"hf_gpt2_trained", ModelTask::LanguageModel},
    Case {"hf_opt", ModelTask::LanguageModel}, Case {"hf_opt_post_norm", ModelTask::LanguageModel},
    Case {"hf_llama3", ModelTask::LanguageModel}, Case {"hf_llama_linear", ModelTask::LanguageModel},
    Case {"hf_bert_classifier", ModelTask::Classification}, Case {"hf_bert_masked_lm", ModelTask::Features},
    Case {"hf_bert_model", ModelTask::Features}, Case {"hf_clip", ModelTask::Features},
    Case {"hf_clip_vision", ModelTask::Features}, Case {"hf_clip_text", ModelTask::Features},
    Case {"hf_clip_text_projection", ModelTask::Features}, Case {"hf_swin", ModelTask::Classification},
    Case {"timm_swin", ModelTask::Classification}, Case {"timm_swin_old", ModelTask::Classification},
    Case {"hf_deit_distilled", ModelTask::Classification}};

/// The files "<kind>.<name>.npy" of a folder, by name.
std::map<std::string, Tensor> arraysOf(const std::filesystem::path& folder, const std::string& kind)
{
    std::map<std::string, Tensor> result;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string file = entry.path().stem().string();
        if (file.starts_with(kind + ".")) {
            result.emplace(file.substr(kind.size() + 1), readNpy(entry.path()));
        }
    }
    return result;
}

std::vector<Feed> feedsOf(const Model& model, const std::map<std::string, Tensor>& arrays)
{
    std::vector<Feed> feeds;
    for (const auto& [name, tensor] : arrays) {
        const auto value = model.graph->findValue(name);
        if (!value) {
            qFatal("no value '%s'", name.c_str());
        }
        feeds.push_back({*value, tensor});
    }
    return feeds;
}

/// Largest difference over the largest magnitude.
double relativeError(const Tensor& actual, const Tensor& expected)
{
    double worst = 0;
    double scale = 0;
    for (std::size_t i = 0; i < expected.data<float>().size(); ++i) {
        const auto e = static_cast<double>(expected.data<float>()[i]);
        const double difference = std::abs(static_cast<double>(actual.data<float>()[i]) - e);
        worst = difference <= worst ? worst : difference; // also when it is not a number
        scale = std::max(scale, std::abs(e));
    }
    return worst / scale;
}

Tensor idsOf(std::int64_t length, std::int64_t first)
{
    std::vector<std::int64_t> ids;
    for (std::int64_t i = 0; i < length; ++i) {
        ids.push_back((first + 7 * i) % 50);
    }
    return Tensor::of<std::int64_t>({1, length}, std::span<const std::int64_t>(ids));
}

class Counter final : public SiteObserver
{
public:
    explicit Counter(const Model& model)
        : m_model(model)
    {
    }
    std::set<std::string> seen;
    bool wants(int site) const override { return at(site).kind == SiteKind::Activation; }
    void observe(int site, const ActivationView& /*view*/) override { seen.insert(at(site).name); }

private:
    [[nodiscard]] const Site& at(int site) const { return m_model.sites[static_cast<std::size_t>(site)]; }
    const Model& m_model;
};

} // namespace

/// The networks of tests/reference/make_hf_models.py and make_trained_gpt2.py.
class TestNetworks : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;

    [[nodiscard]] std::filesystem::path folder() const { return m_folder.path().toStdString(); }
    static void addCases()
    {
        QTest::addColumn<QString>("name");
        for (const Case& c : kCases) {
            QTest::newRow(c.name) << c.name;
        }
    }
    template<typename Change>
    void writeChanged(const std::string& name, Change change) const
    {
        std::vector<RawTensor> tensors = splitSafetensors(readFile(kData / name / "model.safetensors"));
        change(tensors);
        writeFile(folder() / "model.safetensors", joinSafetensors(tensors));
        writeFile(folder() / "config.json", readFile(kData / name / "config.json"));
    }
    /// "" when the model opens.
    [[nodiscard]] std::string errorOf(ErrorCode code) const
    {
        try {
            (void)loadModel(folder());
        } catch (const Error& error) {
            return error.code() == code ? error.what() : "another code: " + std::string(error.what());
        }
        return {};
    }
    static std::vector<std::string> siteNames(const Model& model)
    {
        std::vector<std::string> names;
        for (const Site& site : model.sites) {
            names.push_back(site.name);
        }
        return names;
    }

private slots:
    void computesPyTorchsOutputs_data() { addCases(); }
    void computesPyTorchsOutputs()
    {
        QFETCH(const QString, name);
        const auto path = kData / name.toStdString();
        const auto model = loadModel(path);
        Executor executor(model);
        Counter counter(*model);
        const auto feeds = feedsOf(*model, arraysOf(path, "feed"));
        const auto results = executor.run(feeds, model->graph->outputs(), &counter);
        const auto expected = arraysOf(path, "expect");
        QCOMPARE(results.size(), expected.size());
        for (std::size_t i = 0; i < results.size(); ++i) {
            const Value& output = model->graph->value(model->graph->outputs()[i]);
            const Tensor& wanted = expected.at(output.name);
            QCOMPARE(results[i].shape(), wanted.shape());
            const double error = relativeError(results[i], wanted);
            QVERIFY2(error < 1e-5, (output.name + " " + std::to_string(error)).c_str());
        }
        for (const Site& site : model->sites) {
            QVERIFY2(site.kind == SiteKind::Weight || counter.seen.contains(site.name), site.name.c_str());
        }
    }
    void knowsItsTaskAndDims_data() { addCases(); }
    void knowsItsTaskAndDims()
    {
        QFETCH(const QString, name);
        const auto model = loadModel(kData / name.toStdString());
        const auto it = std::ranges::find_if(kCases, [&](const Case& c) { return name == c.name; });
        QVERIFY(model->task == it->task);
        QCOMPARE(model->name, name.startsWith("timm") ? "swin_tiny_patch4_window7_224" : name.toStdString());
        for (const Value& value : model->graph->values()) {
            QVERIFY2(value.dimsKnown, value.name.c_str());
        }
    }
    void weightsAreTheFilesBytes_data() { addCases(); }
    void weightsAreTheFilesBytes()
    {
        QFETCH(const QString, name);
        const auto path = kData / name.toStdString();
        const auto model = loadModel(path);
        for (const RawTensor& tensor : splitSafetensors(readFile(path / "model.safetensors"))) {
            const auto value = model->graph->findValue(tensor.name);
            const QString text = QString::fromStdString(tensor.name);
            if (text.endsWith("position_ids") || text.endsWith("position_index")
                || text.endsWith(".attn.bias")) {
                QVERIFY2(!value, tensor.name.c_str());
                continue;
            }
            QVERIFY2(value.has_value(), tensor.name.c_str());
            const Tensor& constant = model->graph->value(*value).constant;
            QCOMPARE(
                nameOf(constant.dtype()), std::string_view(tensor.dtype)); // F16 and BF16 stay what they are
            QCOMPARE(constant.byteCount(), tensor.bytes.size());
            QVERIFY(std::memcmp(constant.bytes(), tensor.bytes.data(), tensor.bytes.size()) == 0);
        }
    }
    void namesAMissingTensor_data() { addCases(); }
    void namesAMissingTensor();
    void namesAMisshapenTensor_data() { addCases(); }
    void namesAMisshapenTensor();
    void refusesTensorsOfAnotherNetwork_data() { addCases(); }
    void refusesTensorsOfAnotherNetwork();

    void givesDecodersTheirSites();
    void givesBertItsSites();
    void givesSwinItsSites();
    void readsPreprocessing();

    void sequencesMayHaveAnyLength_data();
    void sequencesMayHaveAnyLength();
    void laterTokensChangeNothingBefore_data();
    void laterTokensChangeNothingBefore();
    void paddingChangesNothing();
    void aTiedHeadIsQuantizedAlone();
    void trainedNetworkPredicts();
};

void TestNetworks::namesAMissingTensor()
{
    QFETCH(const QString, name);
    const auto all = splitSafetensors(readFile(kData / name.toStdString() / "model.safetensors"));
    for (const RawTensor& missing : all) {
        const QString text = QString::fromStdString(missing.name);
        // Tables the network makes itself may be missing, so may BERT's pooler.
        const bool optional = text.endsWith("position_ids") || text.endsWith("position_index")
            || text.endsWith(".attn.bias") || text == "pooler.dense.weight";
        writeChanged(name.toStdString(), [&](std::vector<RawTensor>& tensors) {
            std::erase_if(tensors, [&](const RawTensor& t) { return t.name == missing.name; });
        });
        const std::string error = errorOf(ErrorCode::CorruptFile);
        if (optional) {
            QVERIFY2(error.empty(), error.c_str());
            continue;
        }
        QVERIFY2(error.find("model.safetensors") != std::string::npos, (missing.name + ": " + error).c_str());
        // Names that choose between forms: without them the other form's is missed.
        const bool hasOtherNames = text.startsWith("head.") || text.contains("LayerNorm.")
            || text.contains("embeddings.word_embeddings") || text.contains("embed_tokens")
            || text.contains("wte.") || text.startsWith("cls.predictions.bias")
            || text.contains("patch_embeddings.projection.weight");
        if (!hasOtherNames) {
            QVERIFY2(error.find("'" + missing.name + "'") != std::string::npos,
                (missing.name + ": " + error).c_str());
        }
    }
}

void TestNetworks::namesAMisshapenTensor()
{
    QFETCH(const QString, name);
    const auto all = splitSafetensors(readFile(kData / name.toStdString() / "model.safetensors"));
    for (std::size_t i = 0; i < all.size(); ++i) {
        const QString text = QString::fromStdString(all[i].name);
        writeChanged(
            name.toStdString(), [&](std::vector<RawTensor>& tensors) { tensors[i].shape.push_back(1); });
        const std::string error = errorOf(ErrorCode::CorruptFile);
        if (text.endsWith("position_ids") || text.endsWith("position_index") || text.endsWith(".attn.bias")) {
            QVERIFY2(error.empty(), error.c_str());
        } else {
            QVERIFY2(error.find("'" + all[i].name + "'") != std::string::npos,
                (all[i].name + ": " + error).c_str());
            QVERIFY2(error.find("model.safetensors") != std::string::npos, error.c_str());
        }
    }
}

void TestNetworks::refusesTensorsOfAnotherNetwork()
{
    QFETCH(const QString, name);
    const auto all = splitSafetensors(readFile(kData / name.toStdString() / "model.safetensors"));
    const auto inBlock = std::ranges::find_if(all, [](const RawTensor& tensor) {
        return tensor.name.find(".0.") != std::string::npos && !tensor.name.ends_with(".attn.bias");
    });
    QVERIFY(inBlock != all.end());
    const std::string root = inBlock->name.substr(0, inBlock->name.find(".0.") + 3);
    for (const std::string& extra :
        {root + "q_norm.weight", root.substr(0, root.size() - 2) + "77.mlp.weight"}) {
        writeChanged(name.toStdString(), [&](std::vector<RawTensor>& tensors) {
            tensors.push_back({extra, "F32", {1}, "0000"});
        });
        const std::string error = errorOf(ErrorCode::Unsupported);
        QVERIFY2(error.find("'" + extra + "'") != std::string::npos, (extra + ": " + error).c_str());
    }
}

void TestNetworks::givesDecodersTheirSites()
{
    struct Expected
    {
        const char* site;
        Role role;
    };
    const auto expect = [](const char* folder, const std::vector<Expected>& sites) {
        const auto model = loadModel(kData / folder);
        for (const Expected& expected : sites) {
            const int index = indexOfSite(model->sites, expected.site);
            QVERIFY2(index >= 0, expected.site);
            QVERIFY2(model->sites[static_cast<std::size_t>(index)].role == expected.role, expected.site);
        }
    };
    expect("hf_gpt2",
        {{"transformer.h.1.attn.c_attn.input", Role::PostNormQkv},
            {"transformer.h.1.attn.query", Role::Query}, {"transformer.h.1.attn.key", Role::Key},
            {"transformer.h.1.attn.softmax", Role::Softmax}, {"transformer.h.1.attn.value", Role::Value},
            {"transformer.h.1.attn.c_proj.input", Role::Projection},
            {"transformer.h.1.mlp.c_fc.input", Role::PostNormFc1},
            {"transformer.h.1.mlp.c_proj.weight", Role::PostGeluFc2}, {"lm_head.input", Role::Head}});
    expect("hf_opt",
        {{"model.decoder.layers.0.self_attn.qkv.input", Role::PostNormQkv},
            {"model.decoder.layers.0.self_attn.v_proj.weight", Role::PostNormQkv},
            {"model.decoder.layers.0.self_attn.softmax", Role::Softmax},
            {"model.decoder.layers.0.fc1.input", Role::PostNormFc1},
            {"model.decoder.layers.0.fc2.input", Role::PostGeluFc2}, {"lm_head.weight", Role::Head}});
    const auto gpt2 = loadModel(kData / "hf_gpt2");
    const int weight = indexOfSite(gpt2->sites, "transformer.h.0.mlp.c_fc.weight");
    QCOMPARE(gpt2->sites[static_cast<std::size_t>(weight)].weightAxis, 1); // stored [in, out]
    QCOMPARE(gpt2->sites[static_cast<std::size_t>(weight)].groups, std::int64_t {64});
}

void TestNetworks::givesBertItsSites()
{
    const auto model = loadModel(kData / "hf_bert_classifier");
    const std::string layer = "bert.encoder.layer.0.";
    const std::string self = layer + "attention.self.";
    const std::vector<std::string> expected {self + "qkv.input", self + "query.weight", self + "key.weight",
        self + "value.weight", self + "query", self + "key", self + "softmax", self + "value",
        layer + "attention.output.dense.input", layer + "attention.output.dense.weight",
        layer + "intermediate.dense.input", layer + "intermediate.dense.weight", layer + "output.dense.input",
        layer + "output.dense.weight"};
    const std::vector<std::string> names = siteNames(*model);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        QCOMPARE(names.at(i), expected[i]);
    }
    QVERIFY(model->sites[0].role == Role::PostNormQkv);
    QVERIFY(model->sites[10].role == Role::PostNormFc1);
    QVERIFY(model->sites[12].role == Role::PostGeluFc2);
    QCOMPARE(model->sites[6].groups, std::int64_t {4});
    QCOMPARE(names.back(), std::string("classifier.weight"));
    QVERIFY(model->sites.back().role == Role::Head);
}

void TestNetworks::givesSwinItsSites()
{
    const auto model = loadModel(kData / "timm_swin");
    for (const auto& [name, role] : {std::pair {"patch_embed.proj.input", Role::PatchEmbedding},
             {"layers.1.blocks.1.attn.qkv.input", Role::PostNormQkv},
             {"layers.1.blocks.1.attn.softmax", Role::Softmax},
             {"layers.1.blocks.1.attn.proj.input", Role::Projection},
             {"layers.1.blocks.1.mlp.fc1.input", Role::PostNormFc1},
             {"layers.1.blocks.1.mlp.fc2.input", Role::PostGeluFc2}, {"head.fc.input", Role::Head}}) {
        const int index = indexOfSite(model->sites, name);
        QVERIFY2(index >= 0, name);
        const Site& site = model->sites[static_cast<std::size_t>(index)];
        QVERIFY2(site.role == role, name);
        if (role == Role::Softmax) {
            QCOMPARE(site.groups, std::int64_t {4});
            QCOMPARE(site.block, std::string("layers.1.blocks.1"));
        }
    }
}

void TestNetworks::readsPreprocessing()
{
    const Preprocessing clip {16, 16, 18, Resampling::Bicubic, {0.48, 0.46, 0.41}, {0.27, 0.26, 0.28}};
    QVERIFY(loadModel(kData / "hf_clip_vision")->preprocessing == clip);
    const Preprocessing swin {16, 16, 0, Resampling::Bicubic, {0.485, 0.456, 0.406}, {0.229, 0.224, 0.225}};
    QVERIFY(loadModel(kData / "hf_swin")->preprocessing == swin);
    QCOMPARE(
        loadModel(kData / "timm_swin")->preprocessing->resizeShorter, std::int64_t {26}); // floor(24 / 0.9)
    QVERIFY(!loadModel(kData / "hf_gpt2")->preprocessing);
}

void TestNetworks::sequencesMayHaveAnyLength_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<int>("longest");
    QTest::newRow("gpt2") << "hf_gpt2" << 24;
    QTest::newRow("opt") << "hf_opt" << 24;
    QTest::newRow("opt post norm") << "hf_opt_post_norm" << 24;
    QTest::newRow("llama") << "hf_llama3" << 64;
    QTest::newRow("bert") << "hf_bert_masked_lm" << 24;
    QTest::newRow("clip") << "hf_clip_text" << 14;
}

void TestNetworks::sequencesMayHaveAnyLength()
{
    QFETCH(const QString, name);
    QFETCH(const int, longest);
    const auto model = loadModel(kData / name.toStdString());
    Executor executor(model);
    for (const std::int64_t length : {std::int64_t {1}, std::int64_t {longest}, std::int64_t {longest} + 1}) {
        const std::array feeds {Feed {model->graph->inputs().front(), idsOf(length, 3)}};
        if (length <= longest) {
            const auto results = executor.run(feeds, model->graph->outputs());
            QCOMPARE(results.front().shape()[1], length);
            for (const float value : results.front().data<float>()) {
                QVERIFY(std::isfinite(value));
            }
        } else {
            QVERIFY_THROWS_EXCEPTION(Error, (void)executor.run(feeds, model->graph->outputs()));
        }
    }
}

void TestNetworks::laterTokensChangeNothingBefore_data()
{
    QTest::addColumn<QString>("name");
    for (const char* name :
        {"hf_gpt2", "hf_opt", "hf_opt_post_norm", "hf_llama3", "hf_llama_linear", "hf_clip_text"}) {
        QTest::newRow(name) << name;
    }
}

void TestNetworks::laterTokensChangeNothingBefore()
{
    QFETCH(const QString, name);
    const auto model = loadModel(kData / name.toStdString());
    Executor executor(model);
    const ValueId output = model->graph->outputs().front();
    Tensor ids = idsOf(10, 3);
    const auto run = [&] {
        const std::array feeds {Feed {model->graph->inputs().front(), ids}};
        return executor.run(feeds, {&output, 1}).front();
    };
    const Tensor before = run();
    ids = Tensor::of<std::int64_t>({1, 10}, {3, 10, 17, 24, 31, 38, 1, 2, 1, 2}); // the first six stay
    const Tensor after = run();
    const auto row = static_cast<std::size_t>(before.shape()[2]);
    bool changed = false;
    for (std::size_t i = 0; i < 10 * row; ++i) {
        const float difference = std::abs(before.data<float>()[i] - after.data<float>()[i]);
        changed = changed || (i >= 6 * row && difference > 1e-3F);
        QVERIFY2(i >= 6 * row || difference < 1e-5F, std::to_string(i / row).c_str());
    }
    QVERIFY(changed);
}

void TestNetworks::paddingChangesNothing()
{
    const auto model = loadModel(kData / "hf_bert_classifier");
    Executor executor(model);
    const ValueId output = model->graph->outputs().front();
    const Feed alone {model->graph->inputs().front(), Tensor::of<std::int64_t>({1, 3}, {5, 6, 7})};
    const Tensor expected = executor.run({&alone, 1}, {&output, 1}).front();
    const std::array padded {
        Feed {model->graph->inputs().front(), Tensor::of<std::int64_t>({1, 5}, {5, 6, 7, 9, 9})},
        Feed {*model->graph->findValue("attention_mask"), Tensor::of<std::int64_t>({1, 5}, {1, 1, 1, 0, 0})}};
    QVERIFY(relativeError(executor.run(padded, {&output, 1}).front(), expected) < 1e-5);
}

void TestNetworks::aTiedHeadIsQuantizedAlone()
{
    const auto model = loadModel(kData / "hf_gpt2");
    const auto head = model->graph->findValue("lm_head.weight");
    const auto embedding = model->graph->findValue("transformer.wte.weight");
    QVERIFY(head && embedding && *head != *embedding);
    QVERIFY(model->graph->value(*head).constant.bytes() == model->graph->value(*embedding).constant.bytes());
    std::int64_t stored = 0;
    for (const RawTensor& tensor : splitSafetensors(readFile(kData / "hf_gpt2" / "model.safetensors"))) {
        std::int64_t count = 1;
        for (const std::int64_t dim : tensor.shape) {
            count *= dim;
        }
        stored += count;
    }
    QCOMPARE(model->graph->parameterCount(), stored); // the tied matrix counts once
}

void TestNetworks::trainedNetworkPredicts()
{
    const auto path = kData / "hf_gpt2_trained";
    const auto model = loadModel(path);
    Executor executor(model);
    const auto arrays = arraysOf(path, "feed");
    const Tensor logits = executor.run(feedsOf(*model, arrays), model->graph->outputs()).front();
    const auto ids = arrays.at("input_ids").data<std::int64_t>();
    const auto vocabulary = static_cast<std::size_t>(logits.shape()[2]);
    const auto length = static_cast<std::size_t>(logits.shape()[1]);
    double sum = 0;
    int count = 0;
    for (std::size_t row = 0; row < ids.size(); ++row) {
        if (row % length + 1 == length) {
            continue;
        }
        const auto scores = logits.data<float>().subspan(row * vocabulary, vocabulary);
        double total = 0;
        for (const float score : scores) {
            total += std::exp(static_cast<double>(score));
        }
        sum += std::log(total) - static_cast<double>(scores[static_cast<std::size_t>(ids[row + 1])]);
        ++count;
    }
    const double expected = json::parse(readFile(path / "expected.json")).at("mean_nll_nats");
    QVERIFY2(std::abs(sum / count - expected) < 1e-5, std::to_string(sum / count).c_str());
    QVERIFY(expected < 2.5); // guessing among 96 characters costs 4.6
}

QTEST_GUILESS_MAIN(TestNetworks)
#include "tst_networks.moc"
