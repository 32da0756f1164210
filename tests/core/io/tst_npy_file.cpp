#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/io/npy_file.h"
#include "core/io/npz_file.h"

#include <QTemporaryDir>
#include <QTest>

#include <functional>
#include <optional>

using namespace qs;

namespace {

/// Written by tests/reference/make_npy.py with NumPy.
std::filesystem::path stored(const std::string& name)
{
    return std::filesystem::path(QS_TEST_DATA) / "npy" / name;
}

std::optional<ErrorCode> codeOf(const std::function<void()>& action)
{
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return std::nullopt;
}

} // namespace

class TestNpyFile : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    [[nodiscard]] std::filesystem::path at(const char* name) const
    {
        return std::filesystem::path(m_folder.path().toStdString()) / name;
    }

private slots:
    void readsWhatNumPyWrote_data();
    void readsWhatNumPyWrote();
    void booleansAndScalarsAndEmptyArraysAreRead();
    void refusalsHaveTheirCode_data();
    void refusalsHaveTheirCode();
    void writesTheBytesNumPyWrites_data();
    void writesTheBytesNumPyWrites();
    void bfloat16CannotBeWritten();
    void readsArchives_data();
    void readsArchives();
    void archiveRefusals();
};

void TestNpyFile::readsWhatNumPyWrote_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<int>("type");
    QTest::addColumn<QString>("shape");
    const auto row = [](const char* file, DType type, const char* shape) {
        QTest::newRow(file) << file << static_cast<int>(type) << shape;
    };
    row("c_f2.npy", DType::F16, "[2, 3, 4]");
    row("c_f4.npy", DType::F32, "[2, 3, 4]");
    row("c_f8.npy", DType::F64, "[2, 3, 4]");
    row("c_i1.npy", DType::I8, "[2, 3, 4]");
    row("c_i2.npy", DType::I16, "[2, 3, 4]");
    row("c_i4.npy", DType::I32, "[2, 3, 4]");
    row("c_i8.npy", DType::I64, "[2, 3, 4]");
    row("c_u1.npy", DType::U8, "[2, 3, 4]");
    row("c_u2.npy", DType::U16, "[2, 3, 4]");
    row("c_u4.npy", DType::U32, "[2, 3, 4]");
    row("c_u8.npy", DType::U64, "[2, 3, 4]");
    row("fortran_f4.npy", DType::F32, "[2, 3, 4]");
    row("fortran_i2.npy", DType::I16, "[5, 3]");
    row("vector_f4.npy", DType::F32, "[5]");
    row("version2.npy", DType::F32, "[3, 2]");
    row("version3.npy", DType::F32, "[3, 2]");
}

void TestNpyFile::readsWhatNumPyWrote()
{
    QFETCH(QString, file);
    QFETCH(int, type);
    QFETCH(QString, shape);
    const Tensor tensor = readNpy(stored(file.toStdString()));
    QCOMPARE(tensor.dtype(), static_cast<DType>(type));
    QCOMPARE(tensor.shape().text(), shape.toStdString());
    const Tensor values = tensor.toF32();
    for (std::size_t i = 0; i < values.data<float>().size(); ++i) {
        QCOMPARE(values.data<float>()[i], static_cast<float>(i));
    }
}

void TestNpyFile::booleansAndScalarsAndEmptyArraysAreRead()
{
    const Tensor flags = readNpy(stored("c_b1.npy"));
    for (std::size_t i = 0; i < 24; ++i) {
        QCOMPARE(flags.data<bool>()[i], i % 2 == 1);
    }
    const Tensor scalar = readNpy(stored("scalar_f8.npy"));
    QCOMPARE(scalar.shape(), Shape {});
    QCOMPARE(scalar.data<double>()[0], 2.5);
    const Tensor empty = readNpy(stored("empty_f4.npy"));
    QVERIFY(empty.valid());
    QCOMPARE(empty.shape(), (Shape {0, 4}));
}

void TestNpyFile::refusalsHaveTheirCode_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<int>("code");
    for (const char* file : {"big_endian.npy", "objects.npy", "records.npy", "complex.npy"}) {
        QTest::newRow(file) << file << static_cast<int>(ErrorCode::Unsupported);
    }
    QTest::newRow("an archive") << "stored.npz" << static_cast<int>(ErrorCode::CorruptFile);
    QTest::newRow("no file") << "none.npy" << static_cast<int>(ErrorCode::Io);
}

void TestNpyFile::refusalsHaveTheirCode()
{
    QFETCH(QString, file);
    QFETCH(int, code);
    QCOMPARE(codeOf([&] { (void)readNpy(stored(file.toStdString())); }),
        std::optional(static_cast<ErrorCode>(code)));
}

void TestNpyFile::writesTheBytesNumPyWrites_data()
{
    QTest::addColumn<QString>("file");
    for (const char* file : {"c_f2.npy", "c_f4.npy", "c_f8.npy", "c_i1.npy", "c_i2.npy", "c_i4.npy",
             "c_i8.npy", "c_u1.npy", "c_u2.npy", "c_u4.npy", "c_u8.npy", "c_b1.npy", "vector_f4.npy",
             "scalar_f8.npy", "empty_f4.npy"}) {
        QTest::newRow(file) << file;
    }
}

void TestNpyFile::writesTheBytesNumPyWrites()
{
    QFETCH(QString, file);
    const std::filesystem::path original = stored(file.toStdString());
    writeNpy(at("out.npy"), readNpy(original));
    const auto expected = MappedFile::open(original);
    const auto actual = MappedFile::open(at("out.npy"));
    QCOMPARE(actual->bytes().size(), expected->bytes().size());
    QVERIFY(std::equal(expected->bytes().begin(), expected->bytes().end(), actual->bytes().begin()));
}

void TestNpyFile::bfloat16CannotBeWritten()
{
    QCOMPARE(codeOf([&] { writeNpy(at("b.npy"), Tensor(DType::BF16, {2})); }),
        std::optional(ErrorCode::Unsupported));
    QVERIFY(!std::filesystem::exists(at("b.npy")));
}

void TestNpyFile::readsArchives_data()
{
    QTest::addColumn<QString>("file");
    QTest::newRow("stored") << "stored.npz";
    QTest::newRow("deflated") << "deflated.npz";
    QTest::newRow("zip64 fields") << "zip64.npz";
}

void TestNpyFile::readsArchives()
{
    QFETCH(QString, file);
    const NpzFile archive = NpzFile::open(stored(file.toStdString()));
    QCOMPARE(archive.names(), (std::vector<std::string> {"labels", "x", "zeros"}));
    QVERIFY(archive.contains("x") && !archive.contains("x.npy") && !archive.contains("readme.txt"));
    const Tensor x = archive.read("x");
    QCOMPARE(x.shape(), (Shape {3, 2}));
    for (std::size_t i = 0; i < 6; ++i) {
        QCOMPARE(x.data<float>()[i], static_cast<float>(i));
    }
    QCOMPARE(archive.read("labels").data<std::int64_t>()[2], std::int64_t {2});
    QCOMPARE(archive.read("zeros").shape(), (Shape {100, 10}));
    QCOMPARE(codeOf([&] { (void)archive.read("y"); }), std::optional(ErrorCode::InvalidArgument));
}

void TestNpyFile::archiveRefusals()
{
    QCOMPARE(codeOf([] { (void)NpzFile::open(stored("bzip2.npz")).read("x"); }),
        std::optional(ErrorCode::Unsupported));
    QCOMPARE(codeOf([] { (void)NpzFile::open(stored("c_f4.npy")); }), std::optional(ErrorCode::CorruptFile));
    QCOMPARE(codeOf([] { (void)NpzFile::open(stored("none.npz")); }), std::optional(ErrorCode::Io));
    writeFileAtomically(at("empty.npz"), "");
    QCOMPARE(codeOf([&] { (void)NpzFile::open(at("empty.npz")); }), std::optional(ErrorCode::CorruptFile));
}

QTEST_GUILESS_MAIN(TestNpyFile)
#include "tst_npy_file.moc"
