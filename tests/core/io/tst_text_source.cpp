#include "core/base/error.h"
#include "core/graph/graph_builder.h"
#include "core/io/caching_source.h"
#include "core/io/data_source.h"
#include "core/io/npy_file.h"
#include "core/text/tokenizer.h"
#include "tests/support/failure_of.h"
#include "tests/support/fresh_folders.h"

#include <QTest>

#include <fstream>

using namespace qs;
using namespace qs::test;
namespace fs = std::filesystem;

namespace {

const std::string kText = "Once upon a time there was a little girl named Lily. She loved to play outside. ";

/// A model that looks up `vocabulary` ids [-1, length] and gives as many logits a token.
Model tokenModel(
    const fs::path& folder, std::int64_t vocabulary, std::int64_t length = -1, DType type = DType::I64)
{
    GraphBuilder builder;
    const ValueId ids = builder.addInput("input_ids", type, {-1, length});
    const ValueId table = builder.addConstant("table", Tensor::zeros(DType::F32, Shape {vocabulary, 2}));
    const ValueId rows = builder.addNode("Gather", "embed", {table, ids});
    builder.setDims(rows, {-1, length, 2});
    builder.addOutput(rows);
    Model model;
    model.path = folder;
    model.graph = builder.build();
    return model;
}

void write(const fs::path& file, const std::string& text)
{
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
}

} // namespace

class TestTextSource : public QObject
{
    Q_OBJECT

    FreshFolders m_folders;
    /// A folder with the named small tokenizer.
    [[nodiscard]] fs::path modelFolder(const char* tokenizer)
    {
        const fs::path folder = m_folders.next();
        fs::copy_file(
            fs::path(QS_TEST_DATA) / "tokenizers" / tokenizer / "tokenizer.json", folder / "tokenizer.json");
        return folder;
    }

private slots:
    void textBecomesFramedPieces()
    {
        const fs::path folder = modelFolder("bert");
        const auto tokenizer = Tokenizer::open(folder);
        const fs::path texts = m_folders.next();
        write(texts / "b.txt", kText + kText);
        write(texts / "a.txt", "too short");
        write(texts / "c.md", kText);
        const std::vector<std::int32_t> ids = tokenizer->encode(kText + kText, "x");
        for (const DType type : {DType::I64, DType::I32}) {
            const Model model = tokenModel(folder, tokenizer->largestId() + 1, -1, type);
            const auto data = openData(texts, model, {.context = 10});
            QCOMPARE(data->size(), static_cast<std::int64_t>(ids.size() / 8)); // without the tail
            QCOMPARE(data->sampleName(1), std::string("b.txt #1"));
            for (std::int64_t i = 0; i < data->size(); ++i) {
                const Tensor sample = data->load(i);
                QCOMPARE(sample.shape(), Shape({10}));
                QCOMPARE(sample.dtype(), type);
                const auto at = [&](std::size_t k) {
                    return type == DType::I64 ? sample.data<std::int64_t>()[k]
                                              : std::int64_t {sample.data<std::int32_t>()[k]};
                };
                QCOMPARE(at(0), std::int64_t {2}); // [CLS]
                QCOMPARE(at(9), std::int64_t {3}); // [SEP]
                for (std::size_t k = 0; k < 8; ++k) {
                    QCOMPARE(at(k + 1), std::int64_t {ids[static_cast<std::size_t>(i) * 8 + k]});
                }
            }
            QCOMPARE(data->preparation(), "context 10, tokenizer " + tokenizer->hash());
            QCOMPARE(CachingSource(data, 0).preparation(), data->preparation());
            QVERIFY(openData(texts, model, {.context = 11})->hash() != data->hash());
            QCOMPARE(openData(texts / "b.txt", model, {.context = 10})->size(), data->size());
        }
    }
    void theContextFollowsTheModel()
    {
        const fs::path folder = modelFolder("gpt2");
        const int vocabulary = Tokenizer::open(folder)->largestId() + 1;
        const fs::path text = m_folders.next() / "t.txt";
        std::string many;
        for (int i = 0; i < 60; ++i) {
            many += kText;
        }
        write(text, many);
        const auto lengthOf = [&](std::int64_t fixed, std::int64_t context) {
            return openData(text, tokenModel(folder, vocabulary, fixed), {.context = context})
                ->load(0)
                .shape()[0];
        };
        QCOMPARE(lengthOf(-1, 0), std::int64_t {512});
        QCOMPARE(lengthOf(24, 0), std::int64_t {24});
        write(folder / "config.json", R"({"n_positions": 48})");
        QCOMPARE(lengthOf(-1, 0), std::int64_t {48});
        QCOMPARE(lengthOf(-1, 20), std::int64_t {20});
        QCOMPARE(failureOf([&] { (void)lengthOf(-1, 49); }).first, std::optional(ErrorCode::InvalidArgument));
        QCOMPARE(failureOf([&] { (void)lengthOf(24, 25); }).first, std::optional(ErrorCode::InvalidArgument));
    }
    void whatDoesNotFitIsNamed()
    {
        const fs::path folder = modelFolder("bert");
        const int vocabulary = Tokenizer::open(folder)->largestId() + 1;
        const fs::path text = m_folders.next() / "t.txt";
        write(text, kText + "caf\xe9");
        const Model model = tokenModel(folder, vocabulary);
        const auto [code, sentence] = failureOf([&] { (void)openData(text, model, {.context = 10}); });
        QCOMPARE(code, std::optional(ErrorCode::CorruptFile));
        QVERIFY2(sentence.find("t.txt") != std::string::npos
                && sentence.find(std::to_string(kText.size() + 3)) != std::string::npos,
            sentence.c_str());
        write(text, kText);
        const auto codeOf = [&](const Model& other, std::int64_t context) {
            return failureOf([&] { (void)openData(text, other, {.context = context}); }).first;
        };
        QCOMPARE(codeOf(model, 10), std::nullopt);
        QCOMPARE(codeOf(model, 2), std::optional(ErrorCode::InvalidArgument)); // no room
        QCOMPARE(codeOf(model, 400), std::optional(ErrorCode::InvalidArgument)); // too short a text
        QCOMPARE(codeOf(tokenModel(folder, vocabulary - 1), 10), std::optional(ErrorCode::InvalidArgument));
        QCOMPARE(codeOf(tokenModel(m_folders.next(), vocabulary), 10), std::optional(ErrorCode::Unsupported));
        QCOMPARE(failureOf([&] { (void)openData(m_folders.next(), model); }).first,
            std::optional(ErrorCode::CorruptFile));
    }
    void tokenIdsMustBeKnownAndMayBeCut()
    {
        const fs::path folder = m_folders.next();
        writeNpy(folder / "ids.npy", Tensor::of<std::int32_t>(Shape {2, 4}, {0, 1, 2, 3, 4, 5, 6, 7}));
        const auto data = openData(folder / "ids.npy", tokenModel(folder, 8));
        QCOMPARE(data->load(1).data<std::int64_t>()[3], std::int64_t {7});
        QVERIFY(data->preparation().empty());
        const auto cut = openData(folder / "ids.npy", tokenModel(folder, 7), {.context = 3});
        QCOMPARE(cut->load(1).shape(), Shape({3}));
        QCOMPARE(cut->load(1).data<std::int64_t>()[2], std::int64_t {6});
        QCOMPARE(cut->preparation(), std::string("context 3"));
        QVERIFY(cut->hash() != data->hash());
        const auto [code, sentence]
            = failureOf([&] { (void)openData(folder / "ids.npy", tokenModel(folder, 7))->load(1); });
        QCOMPARE(code, std::optional(ErrorCode::CorruptFile));
        QVERIFY2(sentence.find("token 7 at place 3 of sample 1") != std::string::npos, sentence.c_str());
        write(folder / "config.json", R"({"max_position_embeddings": 3})");
        QCOMPARE(failureOf([&] { (void)openData(folder / "ids.npy", tokenModel(folder, 8)); }).first,
            std::optional(ErrorCode::ShapeMismatch));
        QCOMPARE(
            openData(folder / "ids.npy", tokenModel(folder, 8), {.context = 3})->size(), std::int64_t {2});
    }
};

QTEST_GUILESS_MAIN(TestTextSource)

#include "tst_text_source.moc"
