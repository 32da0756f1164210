#include "core/base/error.h"
#include "core/io/json_text.h"
#include "core/text/tokenizer.h"
#include "tests/support/failure_of.h"
#include "tests/support/fresh_folders.h"

#include <nlohmann/json.hpp>

#include <QElapsedTimer>
#include <QTest>

#include <fstream>
#include <thread>

using namespace qs;
using namespace qs::test;
namespace fs = std::filesystem;

namespace {

const fs::path kFolder = fs::path(QS_TEST_DATA) / "tokenizers";
using Json = nlohmann::json;

} // namespace

/// Against the JavaScript package @huggingface/tokenizers: tests/reference/make_tokenizers.mjs.
class TestTokenizer : public QObject
{
    Q_OBJECT

    FreshFolders m_folders;
    [[nodiscard]] fs::path folderWith(const Json& tokenizer)
    {
        const fs::path folder = m_folders.next();
        std::ofstream(folder / "tokenizer.json") << tokenizer.dump();
        return folder;
    }

private slots:
    void idsAreThoseOfTheReference_data()
    {
        QTest::addColumn<int>("ignored");
        for (const char* name : {"gpt2", "roberta", "llama3", "llama", "metaspace_first", "metaspace_words",
                 "bert", "bert_cased", "words", "unigram", "unigram_precompiled"}) {
            QTest::newRow(name) << 0;
        }
    }
    void idsAreThoseOfTheReference()
    {
        const std::string name = QTest::currentDataTag();
        const Json json = readJsonFile(kFolder / "expected.json");
        const Json& expected = json["expected"][name];
        const auto tokenizer = Tokenizer::open(kFolder / name);
        QVERIFY(tokenizer != nullptr);
        QCOMPARE(json["texts"].size(), std::size_t {24});
        for (std::size_t i = 0; i < json["texts"].size(); ++i) {
            const auto text = json["texts"][i].get<std::string>();
            QVERIFY2(tokenizer->encode(text, name) == expected["ids"][i].get<std::vector<std::int32_t>>(),
                (name + ": text " + std::to_string(i)).c_str());
        }
        std::vector<std::int32_t> framed = tokenizer->frame().before;
        const std::vector<std::int32_t> x = tokenizer->encode("x", name);
        framed.insert(framed.end(), x.begin(), x.end());
        framed.insert(framed.end(), tokenizer->frame().after.begin(), tokenizer->frame().after.end());
        QVERIFY(framed == expected["framed_x"].get<std::vector<std::int32_t>>());
        QCOMPARE(tokenizer->hash().size(), std::size_t {64});
    }
    void olderFilesGiveTheSame()
    {
        const Json json = readJsonFile(kFolder / "expected.json");
        const Json gpt2 = readJsonFile(kFolder / "gpt2/tokenizer.json");
        const fs::path merges = m_folders.next();
        Json vocabulary = gpt2["model"]["vocab"];
        vocabulary["<|endoftext|>"] = vocabulary.size();
        std::ofstream(merges / "vocab.json") << vocabulary.dump();
        std::ofstream file(merges / "merges.txt");
        file << "#version: 0.2\n";
        for (const Json& merge : gpt2["model"]["merges"]) {
            file << merge.get<std::string>() << '\n';
        }
        file.close();
        const fs::path words = m_folders.next();
        const Json bert = readJsonFile(kFolder / "bert/tokenizer.json");
        std::vector<std::string> lines(bert["model"]["vocab"].size());
        for (const auto& [token, id] : bert["model"]["vocab"].items()) {
            lines[id.get<std::size_t>()] = token;
        }
        std::ofstream list(words / "vocab.txt");
        for (const std::string& line : lines) {
            list << line << '\n';
        }
        list.close();
        const auto a = Tokenizer::open(merges);
        const auto b = Tokenizer::open(words);
        for (std::size_t i = 0; i < json["texts"].size(); ++i) {
            const auto text = json["texts"][i].get<std::string>();
            QVERIFY(
                a->encode(text, "x") == json["expected"]["gpt2"]["ids"][i].get<std::vector<std::int32_t>>());
            QVERIFY(
                b->encode(text, "x") == json["expected"]["bert"]["ids"][i].get<std::vector<std::int32_t>>());
        }
        QVERIFY(b->frame().before == std::vector<std::int32_t>({2}));
        QVERIFY(b->frame().after == std::vector<std::int32_t>({3}));
        QVERIFY(Tokenizer::open(m_folders.next()) == nullptr);
    }
    void byteFallbackOfUnigram()
    {
        Json json = readJsonFile(kFolder / "unigram/tokenizer.json");
        json["normalizer"] = nullptr;
        json["pre_tokenizer"] = nullptr;
        Json pieces = Json::array({Json::array({"<unk>", 0.0}), Json::array({"ab", -1.0}),
            Json::array({"a", -2.0}), Json::array({"b", -2.5})});
        for (int byte = 0; byte < 256; ++byte) {
            pieces.push_back({QStringLiteral("<0x%1>")
                                  .arg(byte, 2, 16, QLatin1Char('0'))
                                  .toUpper()
                                  .replace(QLatin1Char('X'), QLatin1Char('x'))
                                  .toStdString(),
                -20.0});
        }
        json["model"] = {{"type", "Unigram"}, {"unk_id", 0}, {"byte_fallback", true}, {"vocab", pieces}};
        json["added_tokens"] = Json::array();
        const auto tokenizer = Tokenizer::open(folderWith(json));
        QVERIFY(tokenizer->encode("abaé", "x") == std::vector<std::int32_t>({1, 2, 4 + 0xC3, 4 + 0xA9}));
        json["model"]["byte_fallback"] = false;
        QVERIFY(
            Tokenizer::open(folderWith(json))->encode("aéüb", "x") == std::vector<std::int32_t>({2, 0, 3}));
        json["model"]["unk_id"] = nullptr;
        const auto without = Tokenizer::open(folderWith(json));
        QCOMPARE(
            failureOf([&] { (void)without->encode("é", "x"); }).first, std::optional(ErrorCode::Unsupported));
    }
    void whatIsNotSupportedIsNamed_data()
    {
        QTest::addColumn<QString>("pointer");
        QTest::addColumn<QByteArray>("value");
        QTest::addColumn<int>("code");
        const int unsupported = static_cast<int>(ErrorCode::Unsupported);
        const int corrupt = static_cast<int>(ErrorCode::CorruptFile);
        QTest::newRow("model") << "/model/type" << QByteArray("\"WordLevel\"") << unsupported;
        QTest::newRow("normalizer") << "/normalizer" << QByteArray(R"({"type":"ByteLevel"})") << unsupported;
        QTest::newRow("pre-tokenizer")
            << "/pre_tokenizer" << QByteArray(R"({"type":"FixedLength"})") << unsupported;
        QTest::newRow("post-processor")
            << "/post_processor" << QByteArray(R"({"type":"Other"})") << unsupported;
        QTest::newRow("dropout") << "/model/dropout" << QByteArray("0.1") << unsupported;
        QTest::newRow("merge of nothing") << "/model/merges/0" << QByteArray("\"zz qq\"") << corrupt;
        QTest::newRow("no merge") << "/model/merges/0" << QByteArray("\"zz\"") << corrupt;
        QTest::newRow("negative id") << "/model/vocab/a" << QByteArray("-1") << corrupt;
        QTest::newRow("vocabulary") << "/model/vocab" << QByteArray("[]") << corrupt;
        QTest::newRow("unknown token") << "/model/unk_token" << QByteArray("\"nowhere\"") << corrupt;
        QTest::newRow("added token") << "/added_tokens/0/id" << QByteArray("1e9") << corrupt;
    }
    void whatIsNotSupportedIsNamed()
    {
        QFETCH(QString, pointer);
        QFETCH(QByteArray, value);
        QFETCH(int, code);
        Json json = readJsonFile(kFolder / "gpt2/tokenizer.json");
        json[Json::json_pointer(pointer.toStdString())] = Json::parse(value.toStdString());
        const fs::path folder = folderWith(json);
        const auto [found, text] = failureOf([&] { (void)Tokenizer::open(folder); });
        QCOMPARE(static_cast<int>(found.value_or(ErrorCode::Internal)), code);
        QVERIFY2(text.find("tokenizer.json") != std::string::npos, text.c_str());
    }
    void longTextsTakeTimeInProportion()
    {
        std::string text; // one word for a tokenizer that does not cut words
        while (text.size() < 400000) {
            text += "Once upon a time there was a little girl named Lily ";
        }
        for (const char* name : {"llama", "unigram", "gpt2", "bert"}) {
            const auto tokenizer = Tokenizer::open(kFolder / name);
            QElapsedTimer clock;
            clock.start();
            QVERIFY(tokenizer->encode(text, "x").size() > 50000);
            QVERIFY(tokenizer->encode(std::string(200000, 'a'), "x").size() > 0);
            QVERIFY2(clock.elapsed() < 60000, name);
        }
    }
    void severalThreadsMayEncode()
    {
        const auto tokenizer = Tokenizer::open(kFolder / "llama3");
        const Json json = readJsonFile(kFolder / "expected.json");
        std::atomic<int> wrong = 0;
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (std::size_t k = 0; k < json["texts"].size(); ++k) {
                    const auto ids = tokenizer->encode(json["texts"][k].get<std::string>(), "x");
                    wrong += ids == json["expected"]["llama3"]["ids"][k].get<std::vector<std::int32_t>>() ? 0
                                                                                                          : 1;
                }
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        QCOMPARE(wrong.load(), 0);
    }
};

QTEST_GUILESS_MAIN(TestTokenizer)

#include "tst_tokenizer.moc"
