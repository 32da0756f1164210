#include "core/base/error.h"
#include "core/text/added_tokens.h"
#include "core/text/byte_level.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/text_normalizer.h"
#include "core/text/unicode.h"

#include <nlohmann/json.hpp>

#include <QElapsedTimer>
#include <QTest>

using namespace qs;

namespace {

std::string joined(const std::vector<TextPiece>& pieces)
{
    std::string text;
    for (const TextPiece& piece : pieces) {
        text += "[" + piece.text + "]";
    }
    return text;
}

std::string split(const nlohmann::json& preTokenizer, const std::string& text)
{
    return joined(readPreTokenizer(JsonReader(preTokenizer, ""))->split({{text, true}}));
}

std::string normalize(const nlohmann::json& normalizer, const std::string& text)
{
    return readNormalizer(JsonReader(normalizer, ""))->apply(text);
}

std::optional<ErrorCode> failureOf(const std::function<void()>& action)
{
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return std::nullopt;
}

} // namespace

class TestUnicode : public QObject
{
    Q_OBJECT
private slots:
    void codePointsGoForthAndBack()
    {
        for (const char32_t c : {U'a', U'\u00e9', U'\u20ac', U'\U0001F600'}) {
            std::string text = "x";
            appendCodePoint(text, c);
            QCOMPARE(QString::fromStdString(text), QStringLiteral("x") + QString::fromUcs4(&c, 1));
            std::size_t offset = 1;
            QVERIFY(nextCodePoint(text, offset) == c && offset == text.size());
            QVERIFY(previousCodePoint(text, offset) == c && offset == 1);
        }
    }
    void whatIsNotUtf8IsNamedWithItsPlace_data()
    {
        QTest::addColumn<QByteArray>("bytes");
        QTest::addColumn<int>("offset");
        QTest::newRow("lone continuation") << QByteArray("ab\x80") << 2;
        QTest::newRow("cut off") << QByteArray("a\xe2\x82") << 1;
        QTest::newRow("overlong") << QByteArray("\xc0\xaf") << 0;
        QTest::newRow("surrogate") << QByteArray("abc\xed\xa0\x80") << 3;
        QTest::newRow("beyond") << QByteArray("\xf4\x90\x80\x80") << 0;
        QTest::newRow("latin-1") << QByteArray("caf\xe9 au lait") << 3;
    }
    void whatIsNotUtf8IsNamedWithItsPlace()
    {
        QFETCH(QByteArray, bytes);
        QFETCH(int, offset);
        try {
            requireUtf8({bytes.constData(), static_cast<std::size_t>(bytes.size())}, "'t.txt'");
            QFAIL("nothing was thrown");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::CorruptFile);
            QVERIFY2(QString::fromUtf8(error.what()).contains(QStringLiteral("offset %1 ").arg(offset)),
                error.what());
        }
    }
    void lowerCaseKnowsNoContext() { QCOMPARE(lowered("AÄΣΟΔΟΣ İI"), std::string("aäσοδοσ i\u0307i")); }
    void byteLevelWordsFollowThePattern()
    {
        std::string cut;
        const std::string text = "it's  42ab,  x\n\n y's''s \n";
        for (const auto& word : byteLevelWords(text)) {
            cut += "[" + text.substr(word.begin, word.end - word.begin) + "]";
        }
        QCOMPARE(cut,
            std::string("[it]['s][ ][ 42][ab][,][ ][ x][\n\n][ y]['s]['']"
                        "[s][ \n]"));
    }
    void behavioursAreThoseOfTheDocumentation() // huggingface.co/docs/tokenizers, SplitDelimiterBehavior
    {
        const auto cut = [](const char* behavior) {
            return split({{"type", "Split"}, {"pattern", {{"String", "-"}}}, {"behavior", behavior},
                             {"invert", false}},
                "the-final--countdown");
        };
        QCOMPARE(cut("Removed"), std::string("[the][final][countdown]"));
        QCOMPARE(cut("Isolated"), std::string("[the][-][final][-][-][countdown]"));
        QCOMPARE(cut("MergedWithPrevious"), std::string("[the-][final-][-][countdown]"));
        QCOMPARE(cut("MergedWithNext"), std::string("[the][-final][-][-countdown]"));
        QCOMPARE(cut("Contiguous"), std::string("[the][-][final][--][countdown]"));
        QCOMPARE(split({{"type", "Split"}, {"pattern", {{"Regex", "\\p{L}+|\\S"}}}, {"behavior", "Removed"},
                           {"invert", true}},
                     "Straße 12!"),
            std::string("[Straße][1][2][!]"));
    }
    void wordsSignsAndDigits()
    {
        QCOMPARE(split({{"type", "Whitespace"}}, "Straße, e\u0301_1 ?!x"),
            std::string("[Straße][,][e\u0301_1][?!][x]"));
        QCOMPARE(
            split({{"type", "Punctuation"}}, "a?!$b \u201cc"), std::string("[a][?][!][$][b ][\u201c][c]"));
        QCOMPARE(
            split({{"type", "Punctuation"}, {"behavior", "Contiguous"}}, "a?!b"), std::string("[a][?!][b]"));
        QCOMPARE(split({{"type", "Digits"}, {"individual_digits", true}}, "a12\u00bdb"),
            std::string("[a][1][2][\u00bd][b]"));
        QCOMPARE(
            split({{"type", "Digits"}, {"individual_digits", false}}, "a12b"), std::string("[a][12][b]"));
        QCOMPARE(split({{"type", "BertPreTokenizer"}}, " a.b  c"), std::string("[a][.][b][c]"));
    }
    void metaspaceMarksWords()
    {
        const auto marked = [](const char* scheme, bool cut, const std::string& text) {
            return split({{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", scheme},
                             {"split", cut}},
                text);
        };
        QCOMPARE(marked("always", true, "a b  c"), std::string("[\u2581a][\u2581b][\u2581][\u2581c]"));
        QCOMPARE(marked("never", false, "a b"), std::string("[a\u2581b]"));
        QCOMPARE(marked("first", false, " a"), std::string("[\u2581a]"));
        const auto later = readPreTokenizer(JsonReader(
            nlohmann::json {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "first"}},
            ""));
        QCOMPARE(joined(later->split({{"a", true}, {"b", false}})), std::string("[\u2581a][b]"));
    }
    void normalizersDoWhatTheyAreNamed()
    {
        QCOMPARE(normalize({{"type", "NFD"}}, "\u00e9\ufb01"), std::string("e\u0301\ufb01"));
        QCOMPARE(normalize({{"type", "NFKC"}}, "e\u0301\ufb01"), std::string("\u00e9fi"));
        QCOMPARE(normalize({{"type", "StripAccents"}}, "e\u0301\u0903a"), std::string("ea"));
        QCOMPARE(normalize({{"type", "Strip"}, {"strip_left", true}, {"strip_right", false}}, " \u3000a "),
            std::string("a "));
        QCOMPARE(normalize({{"type", "Prepend"}, {"prepend", "_"}}, "a"), std::string("_a"));
        QCOMPARE(normalize({{"type", "Prepend"}, {"prepend", "_"}}, ""), std::string());
        QCOMPARE(normalize({{"type", "Replace"}, {"pattern", {{"Regex", "[ \\s]+"}}}, {"content", "."}},
                     "a \u0085\u00a0b c"),
            std::string("a.b.c"));
        QCOMPARE(normalize({{"type", "BertNormalizer"}, {"clean_text", true}, {"handle_chinese_chars", true},
                               {"strip_accents", nullptr}, {"lowercase", true}},
                     "\u00c9\u0001\u4e2d\tX"),
            std::string("e \u4e2d  x"));
    }
    void unsupportedPartsAreNamed()
    {
        QCOMPARE(failureOf([] {
            (void)normalize({{"type", "Nmt"}}, "");
        }),
            std::optional(ErrorCode::Unsupported));
        QCOMPARE(failureOf([] {
            (void)split({{"type", "UnicodeScripts"}}, "");
        }),
            std::optional(ErrorCode::Unsupported));
        QCOMPARE(failureOf([] {
            (void)split({{"type", "ByteLevel"}}, "");
        }),
            std::optional(ErrorCode::CorruptFile));
        QCOMPARE(failureOf([] { (void)Pattern("(", "it"); }), std::optional(ErrorCode::Unsupported));
    }
    void aPatternThatBacktracksForeverIsStopped()
    {
        QElapsedTimer clock;
        clock.start();
        const Pattern pattern("(a+)+$", "it");
        QCOMPARE(failureOf([&] { (void)pattern.matches(std::string(60, 'a') + "b"); }),
            std::optional(ErrorCode::Unsupported));
        QVERIFY(clock.elapsed() < 60000);
    }
    void addedTokensAreCutOutFirst()
    {
        nlohmann::json list = nlohmann::json::array();
        const auto add = [&](const char* content, bool single, bool left, bool right) {
            list.push_back({{"id", 10 + list.size()}, {"content", content}, {"single_word", single},
                {"lstrip", left}, {"rstrip", right}, {"normalized", false}, {"special", true}});
        };
        add("<a>", false, false, false);
        add("<a>b", false, false, false);
        add("word", true, false, false);
        add("<m>", false, true, true);
        const AddedTokens tokens {JsonReader(list, "")};
        QCOMPARE(tokens.largestId(), 13);
        const auto cut = [&](const std::string& text) {
            std::string result;
            for (const TokenOrText& part : tokens.split(text, AddedTokens::Stage::BeforeNormalizer)) {
                result += part.token >= 0 ? std::to_string(part.token) : "";
                result += "[" + text.substr(part.begin, part.end - part.begin) + "]";
            }
            return result;
        };
        QCOMPARE(cut("x<a>c<a>b<a"), std::string("[x]10[<a>][c]11[<a>b][<a]"));
        QCOMPARE(cut("words word, sword"), std::string("[words ]12[word][, sword]"));
        QCOMPARE(cut("x  <m> \n<m>y"), std::string("[x]13[  <m> \n]13[<m>][y]"));
        QVERIFY(tokens.split("<a>", AddedTokens::Stage::AfterNormalizer).front().token < 0);
    }
};

QTEST_GUILESS_MAIN(TestUnicode)
#include "tst_unicode.moc"
