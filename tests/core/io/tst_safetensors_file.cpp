#include "core/base/error.h"
#include "core/io/safetensors_file.h"
#include "tests/support/allocation_counter.h"
#include "tests/support/safetensors_builder.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include <random>

using namespace qs;
using namespace qs::test;

namespace {

constexpr std::ptrdiff_t kFewBytes = 4 << 20;
constexpr qint64 kSoon = 2000; // ms

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets)
{
    return R"({"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

/// A file with the one tensor 'a' and a payload of that many bytes.
std::string fileOfOne(
    const std::string& dtype, const std::string& shape, const std::string& offsets, std::size_t payload)
{
    return safetensorsBytes(R"({"a":)" + entry(dtype, shape, offsets) + "}", std::string(payload, '\0'));
}

std::string fileOf(const std::string& header, std::size_t payload = 0)
{
    return safetensorsBytes(header, std::string(payload, '\0'));
}

const std::string kScalar = entry("\"F32\"", "[]", "[0,4]");

/// Six tensors of all three float types, one of them a scalar and one empty, with metadata.
std::string goodFile()
{
    const std::string header = R"({"__metadata__":{"format":"pt","by":"a test"},)"
                               R"("half":{"dtype":"F16","shape":[4],"data_offsets":[24,32]},)"
                               R"("matrix":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                               R"("brain":{"dtype":"BF16","shape":[1,2],"data_offsets":[32,36]},)"
                               R"("none":{"dtype":"F32","shape":[0,7],"data_offsets":[36,36]},)"
                               R"("scalar":{"dtype":"F32","shape":[],"data_offsets":[36,40]},)"
                               R"("index":{"dtype":"I64","shape":[1],"data_offsets":[40,48]}}   )";
    std::string payload;
    const auto append = [&payload](const auto& values) {
        payload.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0]));
    };
    append(std::array<float, 6> {1, 2, 3, 4, 5, -6.5F});
    append(std::array<std::uint16_t, 4> {0x3C00, 0xC000, 0x0001, 0x7BFF}); // 1, -2, 2^-24, 65504
    append(std::array<std::uint16_t, 2> {0x3F80, 0xC2C8}); // 1, -100
    append(std::array<float, 1> {42});
    append(std::array<std::int64_t, 1> {-3});
    return safetensorsBytes(header, payload);
}

} // namespace

class TestSafetensorsFile : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;

    [[nodiscard]] std::filesystem::path written(const std::string& bytes) const
    {
        const auto path = std::filesystem::path(m_folder.path().toStdString()) / "weights.safetensors";
        writeFile(path, bytes);
        return path;
    }

    /// The error of opening a file with these bytes; none when it opens.
    std::optional<Error> errorOf(const std::string& bytes) const
    {
        const auto path = written(bytes);
        try {
            const SafetensorsFile file(path);
            return std::nullopt;
        } catch (const Error& error) {
            return error;
        }
    }

private slots:
    void readsEveryFloatType()
    {
        const SafetensorsFile file(written(goodFile()));
        QCOMPARE(file.entries().size(), std::size_t {6});
        QCOMPARE(file.entries().front().name, std::string("brain"));
        const Tensor matrix = file.tensor("matrix");
        QCOMPARE(matrix.shape(), (Shape {2, 3}));
        QCOMPARE(matrix.toF32().data<float>()[5], -6.5F);
        QCOMPARE(matrix.toF32().data<float>()[1], 2.0F);
        const auto half = file.tensor("half").toF32();
        QCOMPARE(half.data<float>()[0], 1.0F);
        QCOMPARE(half.data<float>()[1], -2.0F);
        QCOMPARE(half.data<float>()[2], 5.9604644775390625e-08F);
        QCOMPARE(half.data<float>()[3], 65504.0F);
        QCOMPARE(file.tensor("brain").toF32().data<float>()[1], -100.0F);
        QCOMPARE(file.tensor("scalar").shape().rank(), std::size_t {0});
        QCOMPARE(file.tensor("none").elementCount(), std::int64_t {0});
        QCOMPARE(file.metadata().at("by"), std::string("a test"));
        QVERIFY(file.find("nothing") == nullptr);
        QVERIFY_THROWS_EXCEPTION(Error, (void)file.tensor("nothing"));
    }
    void tensorsKeepTheMappingAlive()
    {
        Tensor matrix;
        {
            const SafetensorsFile file(written(goodFile()));
            matrix = file.tensor("matrix");
            QVERIFY(matrix.bytes() > file.bytes().data());
            QVERIFY(matrix.bytes() < file.bytes().data() + file.bytes().size());
        }
        float last = 0;
        std::memcpy(&last, matrix.bytes() + 20, sizeof(last));
        QCOMPARE(last, -6.5F);
    }
    void skipsFieldsItDoesNotKnow()
    {
        const SafetensorsFile file(written(fileOf(
            R"({"a":{"extra":{"deep":[1,{"x":null}]},"dtype":"F32","more":[[]],"shape":[1],"data_offsets":[0,4]}})",
            4)));
        QCOMPARE(file.tensor("a").shape(), Shape {1});
    }

    void refusesBadFiles_data();
    void refusesBadFiles();
    void namesAnElementTypeItDoesNotKnow()
    {
        const auto error = errorOf(fileOfOne("\"F8_E4M3\"", "[4]", "[0,4]", 4));
        QVERIFY(error.has_value());
        QCOMPARE(error->code(), ErrorCode::Unsupported);
        QVERIFY2(QString(error->what()).contains("F8_E4M3"), error->what());
    }
    void refusesAMissingFileAndAFolder()
    {
        QVERIFY_THROWS_EXCEPTION(Error, SafetensorsFile("/nonexistent/model.safetensors"));
        QVERIFY_THROWS_EXCEPTION(Error, SafetensorsFile(m_folder.path().toStdString()));
    }
    void refusesAHeaderBeyondTheLimit()
    {
        constexpr std::uint64_t kHeader = 120'000'000;
        const auto path = written(safetensorsBytes("{", "", kHeader));
        std::filesystem::resize_file(path, kHeader + 8); // sparse
        const PeakAllocation peak;
        try {
            const SafetensorsFile file(path);
            QFAIL("opened");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::CorruptFile);
            QVERIFY(QString(error.what()).contains("100000000"));
        }
        QVERIFY(peak.bytes() < kFewBytes);
    }
    void refusesEveryTruncation()
    {
        const std::string good = goodFile();
        QVERIFY(!errorOf(good));
        for (std::size_t size = 0; size < good.size(); ++size) {
            const auto error = errorOf(good.substr(0, size));
            QVERIFY2(error.has_value(), std::to_string(size).c_str());
            QVERIFY2(QString(error->what()).contains("weights.safetensors"), error->what());
        }
    }
    void survivesFlippedBits()
    {
        const std::string good = goodFile();
        std::mt19937 random(20240607);
        int refused = 0;
        constexpr int kTries = 4000;
        const PeakAllocation peak;
        for (int i = 0; i < kTries; ++i) {
            std::string bytes = good;
            const auto flips = 1 + random() % 3;
            for (std::size_t flip = 0; flip < flips; ++flip) {
                bytes[random() % (good.size() - 48)] ^= static_cast<char>(1U << random() % 8);
            }
            if (const auto error = errorOf(bytes)) { // anything but an Error ends the test
                QVERIFY(QString(error->what()).contains("weights.safetensors"));
                ++refused;
            }
        }
        QVERIFY2(refused > kTries / 2, std::to_string(refused).c_str());
        QVERIFY2(peak.bytes() < kFewBytes, std::to_string(peak.bytes()).c_str());
    }
};

void TestSafetensorsFile::refusesBadFiles_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("word"); // must be in the sentence
    const auto row
        = [](const char* name, const std::string& bytes, const char* word = "weights.safetensors") {
              QTest::newRow(name) << QByteArray(bytes.data(), static_cast<qsizetype>(bytes.size()))
                                  << QString(word);
          };
    const std::string maxLength(8, '\xFF');
    row("zero bytes", "");
    row("one byte", "{");
    row("seven bytes", std::string(7, '\0'), "7 bytes");
    row("header length zero", std::string(8, '\0'));
    row("header length beyond the file", safetensorsBytes("{}", "", 3), "3 bytes");
    row("header length 2^63", safetensorsBytes("{}", "", std::uint64_t {1} << 63U), "9223372036854775808");
    row("header length 2^64 - 1", maxLength + "{}", "18446744073709551615");
    row("header length 2^64 - 8", safetensorsBytes("{}", "", ~std::uint64_t {7}));
    row("header length cuts the JSON", safetensorsBytes(R"({"a":)" + kScalar + "}", "0000", 20));
    row("header length takes the payload in", safetensorsBytes(R"({"a":)" + kScalar + "}", "0000", 62));
    row("a list", fileOf("[]"));
    row("a number", fileOf("7"));
    row("no JSON", fileOf("{hello}"), "byte");
    row("a byte order mark", fileOf("\xEF\xBB\xBF{}"));
    row("invalid UTF-8", fileOf("{\"\xFF\xFE\":" + kScalar + "}", 4));
    row("text behind the JSON", fileOf("{}{}"));
    row("a tensor that is a number", fileOf(R"({"a":1})"), "'a'");
    row("a tensor that is null", fileOf(R"({"a":null})"), "'a'");
    row("a tensor that is a list", fileOf(R"({"a":[0,4]})"), "'a'");
    row("an element type that is a number", fileOfOne("5", "[]", "[0,4]", 4), "'a'");
    row("no element type", fileOf(R"({"a":{"shape":[],"data_offsets":[0,4]}})", 4), "'a'");
    row("no shape", fileOf(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4), "'a'");
    row("no offsets", fileOf(R"({"a":{"dtype":"F32","shape":[]}})", 4), "'a'");
    row("an empty tensor description", fileOf(R"({"a":{}})", 4), "'a'");
    row("one offset", fileOfOne("\"F32\"", "[]", "[4]", 4), "'a'");
    row("three offsets", fileOfOne("\"F32\"", "[]", "[0,4,8]", 4), "'a'");
    row("offsets as text", fileOfOne("\"F32\"", "[]", R"(["0","4"])", 4), "'a'");
    row("offsets reversed", fileOfOne("\"F32\"", "[1]", "[4,0]", 4), "4 to 0");
    row("offsets outside", fileOfOne("\"F32\"", "[2]", "[0,8]", 4), "ends at byte 8");
    row("offsets far outside", fileOfOne("\"F32\"", "[4611686018427387900]", "[0,18446744073709551600]", 4),
        "'a'");
    row("offsets negative", fileOfOne("\"F32\"", "[1]", "[-4,0]", 4), "-4");
    row("overlapping tensors",
        fileOf(R"({"a":)" + entry("\"F32\"", "[2]", "[0,8]") + R"(,"b":)" + entry("\"F32\"", "[2]", "[4,12]")
                + "}",
            12),
        "'b'");
    row("the same bytes twice", fileOf(R"({"a":)" + kScalar + R"(,"b":)" + kScalar + "}", 4));
    row("a gap between tensors",
        fileOf(R"({"a":)" + kScalar + R"(,"b":)" + entry("\"F32\"", "[]", "[8,12]") + "}", 12), "gap");
    row("a gap before the first", fileOfOne("\"F32\"", "[]", "[4,8]", 8), "gap");
    row("bytes behind the last tensor", fileOfOne("\"F32\"", "[]", "[0,4]", 5), "5 bytes");
    row("a payload one byte short", fileOfOne("\"F32\"", "[3]", "[0,12]", 11), "11 bytes");
    row("no tensors but a payload", fileOf("{}", 4));
    row("negative dimension", fileOfOne("\"F32\"", "[-1]", "[0,4]", 4), "-1");
    row("two negative dimensions", fileOfOne("\"F32\"", "[-1,-1]", "[0,4]", 4), "-1");
    row("fractional dimension", fileOfOne("\"F32\"", "[1.5]", "[0,4]", 4), "1.5");
    row("dimension 1e2", fileOfOne("\"F32\"", "[1e2]", "[0,400]", 400), "1e2");
    row("dimension beyond int64", fileOfOne("\"F32\"", "[10000000000000000000]", "[0,4]", 4),
        "10000000000000000000");
    row("dimension beyond uint64", fileOfOne("\"F32\"", "[18446744073709551617]", "[0,4]", 4),
        "18446744073709551617");
    row("dimension beyond double", fileOfOne("\"F32\"", "[1e999]", "[0,4]", 4));
    row("element count overflow", fileOfOne("\"F32\"", "[4294967296,4294967296]", "[0,0]", 0), "'a'");
    row("byte count overflow", fileOfOne("\"F64\"", "[2305843009213693952]", "[0,0]", 0), "'a'");
    row("shape larger than its bytes", fileOfOne("\"F32\"", "[2,2]", "[0,12]", 12), "[2, 2]");
    row("element type wider than its bytes", fileOfOne("\"F64\"", "[3]", "[0,12]", 12), "F64");
    row("shape that is a number", fileOfOne("\"F32\"", "1", "[0,4]", 4), "'a'");
    row("shape with a list inside", fileOfOne("\"F32\"", "[[1]]", "[0,4]", 4), "'a'");
    row("shape with an object inside", fileOfOne("\"F32\"", "[{}]", "[0,4]", 4), "'a'");
    row("shape with null inside", fileOfOne("\"F32\"", "[null]", "[0,4]", 4), "'a'");
    std::string ones = "1";
    for (std::size_t i = 0; i < Shape::kMaxRank; ++i) {
        ones += ",1";
    }
    row("33 dimensions", fileOfOne("\"F32\"", "[" + ones + "]", "[0,4]", 4), "32");
    row("the same tensor twice",
        fileOf(R"({"a":)" + kScalar + R"(,"a":)" + entry("\"F32\"", "[]", "[4,8]") + "}", 8), "twice");
    row("the same field twice",
        fileOf(R"({"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4), "twice");
    row("metadata that is a number", fileOf(R"({"__metadata__":{"a":1}})"));
    row("metadata that is a list", fileOf(R"({"__metadata__":[]})"));
    row("the same metadata twice", fileOf(R"({"__metadata__":{"a":"1","a":"2"}})"), "twice");
    row("a million brackets", fileOf(R"({"a":{"x":)" + std::string(1'000'000, '[')), "16 levels");
    row("a million braces", fileOf([] {
        std::string text;
        for (int i = 0; i < 200'000; ++i) {
            text += R"({"a":)";
        }
        return text;
    }()));
    row("a name of 5000 bytes", fileOf("{\"" + std::string(5000, 'n') + "\":" + kScalar + "}", 4), "5000");
    row("a million dimensions",
        fileOfOne(
            "\"F32\"",
            "[" +
                [] {
                    std::string text = "1";
                    for (int i = 0; i < 1'000'000; ++i) {
                        text += ",1";
                    }
                    return text;
                }()
                + "]",
            "[0,4]", 4),
        "32");
}

void TestSafetensorsFile::refusesBadFiles()
{
    QFETCH(const QByteArray, bytes);
    QFETCH(const QString, word);
    const auto path = written(bytes.toStdString());
    QElapsedTimer timer;
    timer.start();
    const PeakAllocation peak;
    try {
        const SafetensorsFile file(path);
        QFAIL("opened a file that contradicts itself");
    } catch (const Error& error) {
        QCOMPARE(error.code(), ErrorCode::CorruptFile);
        QVERIFY2(QString(error.what()).contains("weights.safetensors"), error.what());
        QVERIFY2(QString(error.what()).contains(word), error.what());
        QVERIFY2(QString(error.what()).size() < 600, error.what());
    }
    QVERIFY2(peak.bytes() < kFewBytes, std::to_string(peak.bytes()).c_str());
    QVERIFY(timer.elapsed() < kSoon);
}

QTEST_GUILESS_MAIN(TestSafetensorsFile)
#include "tst_safetensors_file.moc"
