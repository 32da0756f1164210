#include "core/base/error.h"
#include "core/models/checkpoint.h"
#include "core/models/model.h"
#include "tests/support/safetensors_builder.h"

#include <QTemporaryDir>
#include <QTest>

#include <cstring>

using namespace qs;
using namespace qs::test;
using nlohmann::json;

namespace {

const std::filesystem::path kWhole = std::filesystem::path(QS_TEST_DATA) / "tiny_vit_timm";
const char* const kIndex = "model.safetensors.index.json";
const char* const kFirst = "model-00001-of-00002.safetensors";
const char* const kSecond = "model-00002-of-00002.safetensors";

} // namespace

/// A model whose weights are cut into two shards, and what is wrong with changed copies of them.
class TestCheckpoint : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    std::vector<RawTensor> m_first;
    std::vector<RawTensor> m_second;
    json m_index;

    [[nodiscard]] std::filesystem::path folder() const { return m_folder.path().toStdString(); }
    void write() const
    {
        writeFile(folder() / kFirst, joinSafetensors(m_first));
        writeFile(folder() / kSecond, joinSafetensors(m_second));
        writeFile(folder() / kIndex, m_index.dump());
    }
    void expectError(ErrorCode code, std::initializer_list<std::string> words) const
    {
        try {
            (void)loadModel(folder());
            QFAIL("opened");
        } catch (const Error& error) {
            QCOMPARE(error.code(), code);
            for (const std::string& word : words) {
                QVERIFY2(std::string(error.what()).find(word) != std::string::npos, error.what());
            }
        }
    }

private slots:
    void init()
    {
        m_first = splitSafetensors(readFile(kWhole / "model.safetensors"));
        m_second.assign(m_first.begin() + 11, m_first.end());
        m_first.resize(11);
        m_index = {{"metadata", {{"total_size", 1}}}, {"weight_map", json::object()}};
        for (const RawTensor& tensor : m_first) {
            m_index["weight_map"][tensor.name] = kFirst;
        }
        for (const RawTensor& tensor : m_second) {
            m_index["weight_map"][tensor.name] = kSecond;
        }
        writeFile(folder() / "config.json", readFile(kWhole / "config.json"));
        write();
    }
    void shardsMakeTheSameModel()
    {
        const auto whole = loadModel(kWhole);
        const auto cut = loadModel(folder());
        QCOMPARE(cut->graph->parameterCount(), whole->graph->parameterCount());
        QCOMPARE(cut->graph->values().size(), whole->graph->values().size());
        for (std::size_t i = 0; i < whole->graph->values().size(); ++i) {
            const Value& a = whole->graph->values()[i];
            const Value& b = cut->graph->values()[i];
            QCOMPARE(b.name, a.name);
            QCOMPARE(b.isConstant(), a.isConstant());
            if (a.isConstant()) {
                QVERIFY(std::memcmp(a.constant.bytes(), b.constant.bytes(), a.constant.byteCount()) == 0);
            }
        }
        QCOMPARE(cut->hash.size(), std::size_t {64});
        QVERIFY(cut->hash != whole->hash);
    }
    void oneFileIsPreferredToShards()
    {
        writeFile(folder() / "model.safetensors", readFile(kWhole / "model.safetensors"));
        QCOMPARE(loadModel(folder())->hash, loadModel(kWhole)->hash);
        std::filesystem::remove(folder() / "model.safetensors");
    }
    void namesAMissingShard()
    {
        std::filesystem::remove(folder() / kSecond);
        expectError(ErrorCode::Io, {kIndex, kSecond});
    }
    void namesATensorInTheWrongShard()
    {
        const std::string name = m_first.back().name;
        m_second.push_back(m_first.back());
        m_first.pop_back();
        write();
        expectError(ErrorCode::CorruptFile, {name, kFirst, kIndex});
    }
    void namesATensorTheIndexDoesNotList()
    {
        m_second.push_back({"stray", "F32", {1}, "0000"});
        write();
        expectError(ErrorCode::CorruptFile, {"'stray'", kSecond, kIndex});
    }
    void namesATensorInTwoShards()
    {
        m_second.push_back(m_first.front());
        write();
        expectError(ErrorCode::CorruptFile, {m_first.front().name, kSecond});
    }
    void namesATensorThatIsNowhere()
    {
        m_index["weight_map"].erase("head.bias");
        std::erase_if(m_first, [](const RawTensor& tensor) { return tensor.name == "head.bias"; });
        std::erase_if(m_second, [](const RawTensor& tensor) { return tensor.name == "head.bias"; });
        write();
        expectError(ErrorCode::CorruptFile, {"head.bias", kIndex});
    }
    void staysInsideItsDirectory()
    {
        for (const char* outside : {"../model.safetensors", "/etc/passwd", "..", "", "a/b.safetensors"}) {
            m_index["weight_map"]["head.bias"] = outside;
            write();
            expectError(ErrorCode::CorruptFile, {"head.bias", kIndex});
        }
    }
    void refusesAnIndexOfAnotherForm()
    {
        for (const char* text :
            {"", "[]", "{}", R"({"weight_map": []})", R"({"weight_map": {}})", R"({"weight_map": {"a": 1}})",
                R"({"weight_map": {"a": "x", "a": "y"}})", "{\"weight_map\""}) {
            writeFile(folder() / kIndex, text);
            expectError(ErrorCode::CorruptFile, {kIndex});
        }
    }
    void findsPrefixes()
    {
        Checkpoint weights(folder());
        QVERIFY(weights.hasAny("blocks.1."));
        QVERIFY(!weights.hasAny("blocks.2."));
        QCOMPARE(weights.prefixOf({"model.", "blocks."}, "0.norm1.weight"), std::string("blocks."));
        QCOMPARE(weights.prefixOf({"model.", "blocks."}, "9.norm1.weight"), std::string("model."));
    }
};

QTEST_GUILESS_MAIN(TestCheckpoint)
#include "tst_checkpoint.moc"
