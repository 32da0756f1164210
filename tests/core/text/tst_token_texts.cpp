#include "core/io/json_text.h"
#include "core/text/token_texts.h"
#include "tests/support/fresh_folders.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <fstream>

using namespace qs;
using namespace qs::test;
namespace fs = std::filesystem;

namespace {

const fs::path kFolder = fs::path(QS_TEST_DATA) / "tokenizers";

} // namespace

/// Texts come back from the ids that the JavaScript package gave them (tests/reference/make_tokenizers.mjs).
class TestTokenTexts : public QObject
{
    Q_OBJECT

    FreshFolders m_folders;

private slots:
    void whatKeepsEveryByteComesBack_data()
    {
        QTest::addColumn<int>("ignored");
        QTest::newRow("gpt2") << 0;
        QTest::newRow("llama3") << 0;
    }
    void whatKeepsEveryByteComesBack()
    {
        const std::string name = QTest::currentDataTag();
        const nlohmann::json json = readJsonFile(kFolder / "expected.json");
        const auto texts = TokenTexts::open(kFolder / name);
        QVERIFY(texts != nullptr);
        for (std::size_t i = 0; i < json["texts"].size(); ++i) {
            const auto ids = json["expected"][name]["ids"][i].get<std::vector<std::int32_t>>();
            QCOMPARE(texts->text(ids), json["texts"][i].get<std::string>());
        }
    }
    void blanksAndContinuationsAreWords()
    {
        const nlohmann::json json = readJsonFile(kFolder / "expected.json");
        const auto idsOf = [&json](const char* name, std::size_t text) {
            return json["expected"][name]["ids"][text].get<std::vector<std::int32_t>>();
        };
        // SentencePiece puts a blank in front of a text.
        const auto text = json["texts"][0].get<std::string>();
        QCOMPARE(TokenTexts::open(kFolder / "llama")->text(idsOf("llama", 0)), " " + text);
        // WordPiece sets signs apart.
        const std::string words = TokenTexts::open(kFolder / "bert")->text(idsOf("bert", 0));
        QVERIFY2(
            words.starts_with("once upon a time there was a little girl named lily . she"), words.c_str());
    }
    void unknownIdsAreNumbers()
    {
        const std::vector<std::int32_t> ids {-1, 99999999};
        QCOMPARE(TokenTexts::open(kFolder / "gpt2")->text(ids), std::string("<-1><99999999>"));
        QVERIFY(TokenTexts::open(m_folders.next()) == nullptr);
    }
    void wordLists()
    {
        const fs::path folder = m_folders.next();
        std::ofstream(folder / "vocab.txt") << "[UNK]\nplay\n##ing\r\noutside\n";
        const std::vector<std::int32_t> ids {1, 2, 3};
        QCOMPARE(TokenTexts::open(folder)->text(ids), std::string("playing outside"));
    }
};

QTEST_GUILESS_MAIN(TestTokenTexts)
#include "tst_token_texts.moc"
