#include "core/base/error.h"
#include "core/models/vit_config.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/safetensors_builder.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <random>

using namespace qs;
using namespace qs::test;
using nlohmann::json;

namespace {

constexpr std::ptrdiff_t kFewBytes = 4 << 20;
constexpr qint64 kSoon = 2000; // ms

const char* const kTimm
    = R"({"architecture": "vit_small_patch16_224", "num_classes": 21, "global_pool": "token",)"
      R"("model_args": {"img_size": 96, "patch_size": 16, "embed_dim": 384, "depth": 3, "num_heads": 6, "mlp_ratio": 2.0},)"
      R"("pretrained_cfg": {"input_size": [3, 96, 96], "interpolation": "bilinear", "crop_pct": 0.9,)"
      R"("mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6]}})";
const char* const kHuggingFace
    = R"({"model_type": "vit", "hidden_size": 32, "num_hidden_layers": 2,)"
      R"("num_attention_heads": 4, "intermediate_size": 64, "image_size": 224, "patch_size": 16, "num_channels": 3,)"
      R"("layer_norm_eps": 1e-6, "hidden_act": "gelu", "id2label": {"0": "a", "1": "b"}})";

/// `text` with the value at a JSON pointer replaced by a JSON text.
std::string with(const char* text, const char* pointer, const char* value)
{
    json root = json::parse(text);
    root[json::json_pointer(pointer)] = "@";
    std::string result = root.dump();
    return result.replace(result.find("\"@\""), 3, value);
}

} // namespace

class TestVitConfig : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;

    [[nodiscard]] std::filesystem::path folder() const { return m_folder.path().toStdString(); }
    [[nodiscard]] VitConfig read(const std::string& config, const std::string& processor = {}) const
    {
        writeFile(folder() / "config.json", config);
        std::filesystem::remove(folder() / "preprocessor_config.json");
        if (!processor.empty()) {
            writeFile(folder() / "preprocessor_config.json", processor);
        }
        return readVitConfig(folder());
    }

private slots:
    void readsTimm()
    {
        const VitConfig config = read(kTimm);
        QVERIFY(config.form == VitForm::Timm);
        QCOMPARE(config.architecture, std::string("vit_small_patch16_224"));
        QCOMPARE(config.heads, std::optional<std::int64_t>(6));
        QCOMPARE(config.depth, std::optional<std::int64_t>(3));
        QCOMPARE(config.mlpDim, std::optional<std::int64_t>(768));
        QCOMPARE(config.classes, std::optional<std::int64_t>(21));
        QCOMPARE(config.layerNormEpsilon, 1e-6);
        // floor(96 / 0.9) = floor(106.67)
        const Preprocessing expected {96, 96, 106, Resampling::Bilinear, {0.1, 0.2, 0.3}, {0.4, 0.5, 0.6}};
        QVERIFY(config.preprocessing == expected);
    }
    void takesHeadsFromTimmsNames_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("heads"); // 0: embedding / 64, decided by the tensors
        QTest::newRow("tiny") << "deit_tiny_patch16_224" << 0;
        QTest::newRow("base") << "vit_base_patch16_224" << 0;
        QTest::newRow("huge") << "vit_huge_patch14_224" << 16;
        QTest::newRow("deit3 huge") << "deit3_huge_patch14_224" << 16;
        QTest::newRow("giant") << "vit_giant_patch14_224" << 16;
    }
    void takesHeadsFromTimmsNames()
    {
        QFETCH(const QString, name);
        QFETCH(const int, heads);
        const VitConfig config = read("{\"architecture\": \"" + name.toStdString() + "\"}");
        QCOMPARE(config.heads.value_or(0), std::int64_t {heads});
    }
    void resizesStraightWhereTimmSquashes()
    {
        json config = json::parse(kTimm);
        config["pretrained_cfg"]["crop_mode"] = "squash";
        config["pretrained_cfg"]["crop_pct"] = 1.0;
        QCOMPARE(read(config.dump()).preprocessing.resizeShorter, std::int64_t {0});
    }
    void readsHuggingFace()
    {
        const VitConfig config = read(kHuggingFace,
            R"({"size": {"height": 224, "width": 224}, "resample": 3, "image_mean": [0.1, 0.2, 0.3],)"
            R"("image_std": [0.4, 0.5, 0.6], "do_rescale": true, "rescale_factor": 0.00392156862745098})");
        QVERIFY(config.form == VitForm::HuggingFace);
        QCOMPARE(config.prefix, std::string("vit"));
        QCOMPARE(config.heads, std::optional<std::int64_t>(4));
        QCOMPARE(config.mlpDim, std::optional<std::int64_t>(64));
        QCOMPARE(config.classes, std::optional<std::int64_t>(2));
        QCOMPARE(config.layerNormEpsilon, 1e-6);
        const Preprocessing expected {224, 224, 0, Resampling::Bicubic, {0.1, 0.2, 0.3}, {0.4, 0.5, 0.6}};
        QVERIFY(config.preprocessing == expected);
    }
    void knowsHuggingFacesDefaults()
    {
        const VitConfig config = read(R"({"model_type": "deit"})");
        QCOMPARE(config.embedDim, std::optional<std::int64_t>(768));
        QCOMPARE(config.heads, std::optional<std::int64_t>(12));
        QCOMPARE(config.layerNormEpsilon, 1e-12);
        QCOMPARE(config.activation.op, std::string("Gelu"));
        QCOMPARE(std::get<std::string>(config.activation.attributes.at("approximate")), std::string("none"));
    }
    void cropsWhereHuggingFaceDoes()
    {
        const VitConfig config = read(R"({"model_type": "deit", "image_size": 224})",
            R"({"size": 256, "do_center_crop": true, "crop_size": 224, "resample": 3})");
        QCOMPARE(config.preprocessing.resizeShorter, std::int64_t {256});
        QCOMPARE(config.preprocessing.height, std::int64_t {224});
    }

    void refusesBadConfigurations_data();
    void refusesBadConfigurations();
    void refusesBadProcessors_data();
    void refusesBadProcessors();
    void refusesEveryTruncation()
    {
        for (const char* text : {kTimm, kHuggingFace}) {
            const std::string good = text;
            for (std::size_t size = 0; size < good.size(); ++size) {
                QVERIFY_THROWS_EXCEPTION(Error, (void)read(good.substr(0, size)));
            }
        }
    }
    void survivesFlippedBits()
    {
        std::mt19937 random(7);
        int refused = 0;
        for (int i = 0; i < 2000; ++i) {
            std::string text = i % 2 == 0 ? kTimm : kHuggingFace;
            text[random() % text.size()] ^= static_cast<char>(1U << random() % 8);
            try {
                (void)read(text);
            } catch (const Error& error) { // anything else ends the test
                QVERIFY2(QString(error.what()).contains("config.json"), error.what());
                ++refused;
            }
        }
        QVERIFY2(refused > 500, std::to_string(refused).c_str());
    }
};

void TestVitConfig::refusesBadConfigurations_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("word");
    QTest::addColumn<bool>("unsupported");
    const auto add
        = [](const std::string& name, const std::string& text, const char* word, bool unsupported = false) {
              QTest::newRow(name.c_str()) << QByteArray(text.data(), static_cast<qsizetype>(text.size()))
                                          << QString(word) << unsupported;
          };
    add("zero bytes", "", "JSON");
    add("no JSON", "architecture: vit", "JSON");
    add("zeros", std::string(64, '\0'), "JSON");
    add("a list", "[]", "object");
    add("text behind", std::string(kTimm) + "{}", "JSON");
    add("a key twice", R"({"architecture": "vit_tiny", "architecture": "vit_base"})", "twice");
    add("a key twice, deep", R"({"architecture": "vit_tiny", "model_args": {"depth": 1, "depth": 2}})",
        "'depth'");
    add("deep lists", R"({"a":)" + std::string(500'000, '['), "64 levels");
    add(
        "deep objects",
        [] {
            std::string text;
            for (int i = 0; i < 100'000; ++i) {
                text += R"({"a":)";
            }
            return text;
        }(),
        "64 levels");
    add("too large", std::string((16U << 20U) + 1, ' '), "16777217");
    add("neither form", "{}", "architecture", true);
    add("another architecture", R"({"architecture": "resnet50"})", "resnet50", true);
    add("another kind of ViT", R"({"architecture": "vit_relpos_small_patch16_224"})", "relpos", true);
    add("another model type", R"({"model_type": "bert"})", "bert", true);
    add("architecture a number", R"({"architecture": 5})", "architecture");

    struct Case
    {
        const char* pointer;
        const char* value;
        const char* word;
        bool unsupported = false;
    };
    const auto addAll = [&add](const char* form, std::initializer_list<Case> cases) {
        for (const Case& c : cases) {
            add(std::string(c.pointer) + " = " + c.value, with(form, c.pointer, c.value), c.word,
                c.unsupported);
        }
    };
    addAll(kTimm,
        {{"/num_classes", "-1", "num_classes"}, {"/num_classes", "NaN", "JSON"},
            {"/num_classes", "\"10\"", "num_classes"},
            {"/num_classes", "18446744073709551615", "num_classes"}, {"/num_classes", "1e400", "config.json"},
            {"/model_args/img_size", "0", "img_size"}, {"/model_args/img_size", "-224", "img_size"},
            {"/model_args/img_size", "[1,2,3]", "img_size"}, {"/model_args/img_size", "{}", "img_size"},
            {"/model_args/patch_size", "0", "patch_size"}, {"/model_args/embed_dim", "1e30", "embed_dim"},
            {"/model_args/embed_dim", "true", "embed_dim"}, {"/model_args/depth", "2.5", "depth"},
            {"/model_args/depth", "-12", "depth"}, {"/model_args/num_heads", "0", "num_heads"},
            {"/model_args/mlp_ratio", "-4", "mlp_ratio"}, {"/model_args/mlp_ratio", "Infinity", "JSON"},
            {"/model_args/act_layer", "\"selu\"", "selu", true},
            {"/model_args/norm_layer", "\"x\"", "norm_layer", true}, {"/model_args", "[]", "model_args"},
            {"/pretrained_cfg", "\"x\"", "pretrained_cfg"},
            {"/pretrained_cfg/input_size", "[3,224]", "input_size"},
            {"/pretrained_cfg/input_size", "[3,-1,224]", "input_size"},
            {"/pretrained_cfg/input_size", "[3,1000000000000,224]", "input_size"},
            {"/pretrained_cfg/mean", "[0.5,0.5]", "mean"},
            {"/pretrained_cfg/mean", "[0.5,\"a\",0.5]", "mean"}, {"/pretrained_cfg/std", "[0,1,1]", "std"},
            {"/pretrained_cfg/std", "[NaN,1,1]", "JSON"}, {"/pretrained_cfg/crop_pct", "0", "crop_pct"},
            {"/pretrained_cfg/crop_pct", "2", "crop_pct"},
            {"/pretrained_cfg/interpolation", "\"magic\"", "magic", true},
            {"/global_pool", "\"map\"", "map", true}});
    addAll(kHuggingFace,
        {{"/hidden_size", "\"32\"", "hidden_size"}, {"/hidden_size", "0", "hidden_size"},
            {"/num_hidden_layers", "-1", "num_hidden_layers"},
            {"/num_attention_heads", "[]", "num_attention_heads"},
            {"/layer_norm_eps", "-1", "layer_norm_eps"}, {"/layer_norm_eps", "NaN", "JSON"},
            {"/hidden_act", "\"selu\"", "selu", true}, {"/image_size", "{\"height\":3}", "image_size"},
            {"/id2label", "7", "id2label"}, {"/qkv_bias", "1", "qkv_bias"}});
}

void TestVitConfig::refusesBadConfigurations()
{
    QFETCH(const QByteArray, text);
    QFETCH(const QString, word);
    QFETCH(const bool, unsupported);
    const std::string bytes = text.toStdString();
    QElapsedTimer timer;
    timer.start();
    const PeakAllocation peak;
    try {
        (void)read(bytes);
        QFAIL("accepted");
    } catch (const Error& error) {
        QCOMPARE(error.code(), unsupported ? ErrorCode::Unsupported : ErrorCode::CorruptFile);
        QVERIFY2(QString(error.what()).contains("config.json"), error.what());
        QVERIFY2(QString(error.what()).contains(word), error.what());
    }
    QVERIFY2(peak.bytes() < kFewBytes, std::to_string(peak.bytes()).c_str());
    QVERIFY(timer.elapsed() < kSoon);
}

void TestVitConfig::refusesBadProcessors_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("word");
    QTest::newRow("no JSON") << "{"
                             << "JSON";
    QTest::newRow("unknown filter") << R"({"resample": 1})"
                                    << "resample";
    QTest::newRow("filter as text") << R"({"resample": "bicubic"})"
                                    << "resample";
    QTest::newRow("mean of two") << R"({"image_mean": [0, 0]})"
                                 << "image_mean";
    QTest::newRow("deviation zero") << R"({"image_std": [0, 0, 0]})"
                                    << "image_std";
    QTest::newRow("another scale") << R"({"rescale_factor": 0.5})"
                                   << "1/255";
    QTest::newRow("no scale") << R"({"do_rescale": false})"
                              << "1/255";
    QTest::newRow("size as text") << R"({"size": "224"})"
                                  << "size";
}

void TestVitConfig::refusesBadProcessors()
{
    QFETCH(const QString, text);
    QFETCH(const QString, word);
    try {
        (void)read(kHuggingFace, text.toStdString());
        QFAIL("accepted");
    } catch (const Error& error) {
        QVERIFY2(QString(error.what()).contains("preprocessor_config.json"), error.what());
        QVERIFY2(QString(error.what()).contains(word), error.what());
    }
}

QTEST_GUILESS_MAIN(TestVitConfig)
#include "tst_vit_config.moc"
