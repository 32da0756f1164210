#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/io/hdf5_file.h"

#include <hdf5.h>

#include <QTemporaryDir>
#include <QTest>

#include <array>
#include <functional>
#include <thread>

using namespace qs;

namespace {

/// A plain C file handle that the raw calls below share; closed at the end of the scope.
struct RawFile
{
    hid_t id;
    explicit RawFile(const std::filesystem::path& path)
        : id(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT))
    {
    }
    ~RawFile() { H5Fclose(id); }
};

void rawDataset(hid_t file, const char* name, hid_t type, std::initializer_list<hsize_t> dims, hid_t creation,
    const void* data)
{
    const hid_t space = H5Screate_simple(static_cast<int>(dims.size()), std::data(dims), nullptr);
    const hid_t dataset = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    QVERIFY(dataset >= 0);
    if (data != nullptr) {
        QVERIFY(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    }
    H5Dclose(dataset);
    H5Sclose(space);
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

class TestHdf5File : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    [[nodiscard]] std::filesystem::path at(const char* name) const
    {
        return std::filesystem::path(m_folder.path().toStdString()) / name;
    }

private slots:
    void writtenValuesAreInRowOrderForOtherReaders();
    void readsWhatTheLibraryWroteInRowOrder();
    void rowsAreThoseAskedFor();
    void everyElementTypeReturns_data();
    void everyElementTypeReturns();
    void compressedValuesReturn();
    void emptyAndScalarTensorsReturn();
    void attributesReturn();
    void fixedLengthAndShortAttributesAreRead();
    void longTextReturns();
    void childrenAreSorted();
    void equalContentGivesEqualBytes();
    void refusals();
    void unreadablePathsAreNamed();
};

void TestHdf5File::writtenValuesAreInRowOrderForOtherReaders()
{
    {
        Hdf5File file = Hdf5File::create(at("w.h5"));
        file.writeTensor("/a/b/x", Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
        file.close();
    }
    const hid_t file = H5Fopen(at("w.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t dataset = H5Dopen2(file, "/a/b/x", H5P_DEFAULT);
    QVERIFY(dataset >= 0);
    const hid_t space = H5Dget_space(dataset);
    std::array<hsize_t, 2> dims {};
    QCOMPARE(H5Sget_simple_extent_dims(space, dims.data(), nullptr), 2);
    QCOMPARE(dims[0], hsize_t {2});
    QCOMPARE(dims[1], hsize_t {3});
    const hid_t type = H5Dget_type(dataset);
    QVERIFY(H5Tequal(type, H5T_IEEE_F32LE) > 0);
    std::array<double, 6> values {};
    QVERIFY(H5Dread(dataset, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0);
    QCOMPARE(values, (std::array<double, 6> {1, 2, 3, 4, 5, 6}));
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(dataset);
    H5Fclose(file);
}

void TestHdf5File::readsWhatTheLibraryWroteInRowOrder()
{
    {
        const RawFile raw(at("r.h5"));
        const std::array<float, 6> values {1, 2, 3, 4, 5, 6};
        rawDataset(raw.id, "x", H5T_NATIVE_FLOAT, {3, 2}, H5P_DEFAULT, values.data());
        const std::array<std::int16_t, 4> shorts {0x0102, 0x0304, -1, 7}; // stored in the other byte order
        rawDataset(raw.id, "big", H5T_STD_I16BE, {4}, H5P_DEFAULT, shorts.data());
    }
    const Hdf5File file = Hdf5File::openForReading(at("r.h5"));
    QCOMPARE(file.shapeOf("/x"), (Shape {3, 2}));
    const Tensor x = file.readTensor("/x");
    QCOMPARE(x.dtype(), DType::F32);
    for (int i = 0; i < 6; ++i) {
        QCOMPARE(x.data<float>()[static_cast<std::size_t>(i)], static_cast<float>(i + 1));
    }
    const Tensor big = file.readTensor("/big"); // 0x0102 written as big-endian bytes 02 01
    QCOMPARE(big.data<std::int16_t>()[0], std::int16_t {0x0201});
    QCOMPARE(big.data<std::int16_t>()[2], std::int16_t {-1});
}

void TestHdf5File::rowsAreThoseAskedFor()
{
    const Hdf5File file = Hdf5File::openForReading(at("r.h5"));
    const Tensor rows = file.readRows("/x", 1, 2);
    QCOMPARE(rows.shape(), (Shape {2, 2}));
    QCOMPARE(rows.data<float>()[0], 3.0F);
    QCOMPARE(rows.data<float>()[3], 6.0F);
    QCOMPARE(file.readRows("/x", 3, 0).elementCount(), std::int64_t {0});
    QCOMPARE(codeOf([&] { (void)file.readRows("/x", 2, 2); }), std::optional(ErrorCode::InvalidArgument));
    QCOMPARE(codeOf([&] { (void)file.readRows("/x", -1, 1); }), std::optional(ErrorCode::InvalidArgument));
    QCOMPARE(
        codeOf([&] { (void)file.readRows("/x", 1, INT64_MAX); }), std::optional(ErrorCode::InvalidArgument));
}

void TestHdf5File::everyElementTypeReturns_data()
{
    QTest::addColumn<int>("type");
    for (const DType type : {DType::F32, DType::F16, DType::BF16, DType::F64, DType::I8, DType::U8,
             DType::I16, DType::U16, DType::I32, DType::U32, DType::I64, DType::U64, DType::Bool}) {
        QTest::newRow(std::string(nameOf(type)).c_str()) << static_cast<int>(type);
    }
}

void TestHdf5File::everyElementTypeReturns()
{
    QFETCH(int, type);
    const auto wanted = static_cast<DType>(type);
    std::vector<std::byte> bytes(6 * sizeOf(wanted));
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        bytes[i] = static_cast<std::byte>((wanted == DType::Bool) ? i % 2 : 17 * i + 1);
    }
    const auto owner = std::make_shared<std::vector<std::byte>>(bytes);
    const Tensor tensor(wanted, {3, 2}, owner, *owner);
    {
        Hdf5File file = Hdf5File::create(at("types.h5"));
        file.writeTensor("/x", tensor, Compression::Deflate);
        file.close();
    }
    const Tensor back = Hdf5File::openForReading(at("types.h5")).readTensor("/x");
    QCOMPARE(back.dtype(), wanted);
    QCOMPARE(back.shape(), tensor.shape());
    QVERIFY(std::equal(bytes.begin(), bytes.end(), back.bytes()));
}

void TestHdf5File::compressedValuesReturn()
{
    Tensor tensor(DType::F32, {700, 5, 300}); // more than one chunk, the last one partial
    const std::span<float> values = tensor.mutableData<float>();
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<float>(i / 1000);
    }
    {
        Hdf5File file = Hdf5File::create(at("z.h5"));
        file.writeTensor("/x", tensor, Compression::Deflate);
        file.writeTensor("/zero", Tensor::zeros(DType::F32, {1000, 1000}), Compression::Deflate);
        file.close();
    }
    QVERIFY(std::filesystem::file_size(at("z.h5")) < tensor.byteCount() / 10);
    const Hdf5File file = Hdf5File::openForReading(at("z.h5"));
    const Tensor back = file.readTensor("/x");
    QVERIFY(std::equal(values.begin(), values.end(), back.data<float>().begin()));
    const Tensor rows = file.readRows("/x", 650, 50);
    QVERIFY(std::equal(values.begin() + 650L * 1500, values.end(), rows.data<float>().begin()));
    QCOMPARE(file.readTensor("/zero").elementCount(), std::int64_t {1000000});
}

void TestHdf5File::emptyAndScalarTensorsReturn()
{
    {
        Hdf5File file = Hdf5File::create(at("e.h5"));
        file.writeTensor("/empty", Tensor(DType::F32, {0, 4}), Compression::Deflate);
        file.writeTensor("/scalar", Tensor::of<double>(Shape {}, {2.5}), Compression::Deflate);
        file.close();
    }
    const Hdf5File file = Hdf5File::openForReading(at("e.h5"));
    QCOMPARE(file.readTensor("/empty").shape(), (Shape {0, 4}));
    QCOMPARE(file.readTensor("/scalar").shape(), Shape {});
    QCOMPARE(file.readTensor("/scalar").data<double>()[0], 2.5);
}

void TestHdf5File::attributesReturn()
{
    {
        Hdf5File file = Hdf5File::create(at("a.h5"));
        file.makeGroup("/g");
        file.writeString("/g", "text", "Δ = ½ step");
        file.writeString("/g", "text", "σ² again");
        file.writeString("/", "empty", "");
        file.writeString("/g", "long", std::string(200'000, 'x'));
        file.writeInteger("/g", "count", -5'000'000'000);
        file.writeReal("/g", "scale", 0.1);
        file.close();
    }
    const Hdf5File file = Hdf5File::openForReading(at("a.h5"));
    QCOMPARE(file.readString("/g", "text"), std::string("σ² again"));
    QCOMPARE(file.readString("/", "empty"), std::string());
    QCOMPARE(file.readString("/g", "long"), std::string(200'000, 'x'));
    QCOMPARE(file.readInteger("/g", "count"), std::int64_t {-5'000'000'000});
    QCOMPARE(file.readReal("/g", "scale"), 0.1);
    QCOMPARE(file.readReal("/g", "count"), -5e9);
    QVERIFY(file.hasAttribute("/g", "scale"));
    QVERIFY(!file.hasAttribute("/g", "none"));
    QCOMPARE(codeOf([&] { (void)file.readString("/g", "none"); }), std::optional(ErrorCode::CorruptFile));
    QCOMPARE(codeOf([&] { (void)file.readInteger("/g", "text"); }), std::optional(ErrorCode::CorruptFile));
    QCOMPARE(codeOf([&] { (void)file.readInteger("/g", "scale"); }), std::optional(ErrorCode::CorruptFile));
    QCOMPARE(codeOf([&] { (void)file.readReal("/g", "text"); }), std::optional(ErrorCode::CorruptFile));
}

void TestHdf5File::fixedLengthAndShortAttributesAreRead()
{
    {
        const RawFile raw(at("f.h5"));
        const hid_t space = H5Screate(H5S_SCALAR);
        const hid_t text = H5Tcopy(H5T_C_S1);
        H5Tset_size(text, 8);
        const hid_t a = H5Acreate2(raw.id, "fixed", text, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(a, text, "abc\0\0\0\0");
        H5Aclose(a);
        const hid_t b = H5Acreate2(raw.id, "short", H5T_STD_U16BE, space, H5P_DEFAULT, H5P_DEFAULT);
        const std::uint16_t number = 40000;
        H5Awrite(b, H5T_NATIVE_UINT16, &number);
        H5Aclose(b);
        const hid_t c = H5Acreate2(raw.id, "huge", H5T_STD_U64LE, space, H5P_DEFAULT, H5P_DEFAULT);
        const std::uint64_t huge = UINT64_MAX;
        H5Awrite(c, H5T_NATIVE_UINT64, &huge);
        H5Aclose(c);
        const hid_t pair = H5Screate_simple(1, std::data({hsize_t {2}}), nullptr);
        const hid_t d = H5Acreate2(raw.id, "two", H5T_STD_U16LE, pair, H5P_DEFAULT, H5P_DEFAULT);
        H5Aclose(d);
        H5Sclose(pair);
        H5Tset_size(text, H5T_VARIABLE);
        const char* content = "abc";
        const hid_t e = H5Acreate2(raw.id, "variable", text, space, H5P_DEFAULT, H5P_DEFAULT);
        H5Awrite(e, text, &content);
        H5Aclose(e);
        const hid_t f = H5Dcreate2(raw.id, "text", text, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
        H5Dwrite(f, text, H5S_ALL, H5S_ALL, H5P_DEFAULT, &content);
        H5Dclose(f);
        H5Tclose(text);
        H5Sclose(space);
    }
    const Hdf5File file = Hdf5File::openForReading(at("f.h5"));
    QCOMPARE(file.readString("/", "fixed"), std::string("abc"));
    // A flipped bit in the heap behind such text crashes the HDF5 library itself.
    QCOMPARE(codeOf([&] { (void)file.readString("/", "variable"); }), std::optional(ErrorCode::Unsupported));
    QCOMPARE(codeOf([&] { (void)file.readText("/text"); }), std::optional(ErrorCode::Unsupported));
    QCOMPARE(file.readInteger("/", "short"), std::int64_t {40000});
    QCOMPARE(codeOf([&] { (void)file.readInteger("/", "huge"); }), std::optional(ErrorCode::CorruptFile));
    QCOMPARE(codeOf([&] { (void)file.readInteger("/", "two"); }), std::optional(ErrorCode::CorruptFile));
}

void TestHdf5File::longTextReturns()
{
    std::string text;
    for (int i = 0; i < 30'000; ++i) {
        text += "{\"Δ\": " + std::to_string(i) + "}\n";
    }
    {
        Hdf5File file = Hdf5File::create(at("t.h5"));
        file.writeText("/recipe", text);
        file.writeText("/none", "");
        file.writeTensor("/bytes", Tensor::of<std::uint8_t>({3}, {'a', 'b', 'c'}));
        file.close();
    }
    const Hdf5File file = Hdf5File::openForReading(at("t.h5"));
    QCOMPARE(file.readText("/recipe"), text);
    QCOMPARE(file.readText("/none"), std::string());
    QCOMPARE(file.readText("/bytes"), std::string("abc"));
    QCOMPARE(codeOf([&] { (void)file.readTensor("/recipe"); }), std::optional(ErrorCode::Unsupported));
}

void TestHdf5File::childrenAreSorted()
{
    {
        Hdf5File file = Hdf5File::create(at("c.h5"));
        for (const char* name : {"/g/z", "/g/10", "/g/a", "/g/9", "/g/B"}) {
            file.writeTensor(name, Tensor::of<float>({1}, {0}));
        }
        file.close();
    }
    const Hdf5File file = Hdf5File::openForReading(at("c.h5"));
    QCOMPARE(file.children("/g"), (std::vector<std::string> {"10", "9", "B", "a", "z"}));
    QCOMPARE(file.children("/"), (std::vector<std::string> {"g"}));
    QVERIFY(file.exists("/"));
    QVERIFY(file.exists("/g/10"));
    QVERIFY(!file.exists("/g/11"));
    QVERIFY(!file.exists("/g/10/x"));
    QVERIFY(!file.exists("/h/10"));
    QCOMPARE(codeOf([&] { (void)file.children("/g/a"); }), std::optional(ErrorCode::CorruptFile));
    QCOMPARE(codeOf([&] { (void)file.readTensor("/g"); }), std::optional(ErrorCode::CorruptFile));
    QCOMPARE(codeOf([&] { (void)file.exists("g"); }), std::optional(ErrorCode::InvalidArgument));
    QCOMPARE(codeOf([&] { (void)file.exists("/g/"); }), std::optional(ErrorCode::InvalidArgument));
    QCOMPARE(codeOf([&] { (void)file.exists("/g/../g"); }), std::optional(ErrorCode::InvalidArgument));
}

void TestHdf5File::equalContentGivesEqualBytes()
{
    const auto write = [this](const char* name) {
        Hdf5File file = Hdf5File::create(at(name));
        file.writeTensor("/sites/x/minimum", Tensor::of<float>({3}, {1, 2, 3}));
        file.writeTensor("/sites/x/maximum", Tensor::of<float>({3}, {4, 5, 6}), Compression::Deflate);
        file.writeString("/sites/x", "role", "post-GELU");
        file.writeText("/recipe", "{}");
        file.close();
    };
    write("one.h5");
    std::this_thread::sleep_for(std::chrono::milliseconds(1100)); // HDF5 keeps whole seconds
    write("two.h5");
    QCOMPARE(sha256OfFile(at("one.h5")), sha256OfFile(at("two.h5")));
}

void TestHdf5File::refusals()
{
    {
        const RawFile other(at("other.h5"));
        const std::array<float, 4> values {1, 2, 3, 4};
        rawDataset(other.id, "x", H5T_NATIVE_FLOAT, {4}, H5P_DEFAULT, values.data());
        const RawFile raw(at("refused.h5"));
        H5Lcreate_external("other.h5", "/x", raw.id, "outside", H5P_DEFAULT, H5P_DEFAULT);
        H5Lcreate_soft("/outside", raw.id, "indirect", H5P_DEFAULT, H5P_DEFAULT);
        H5Lcreate_soft("/loopB", raw.id, "loopA", H5P_DEFAULT, H5P_DEFAULT);
        H5Lcreate_soft("/loopA", raw.id, "loopB", H5P_DEFAULT, H5P_DEFAULT);
        hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_external(creation, at("raw.bin").c_str(), 0, 16);
        rawDataset(raw.id, "external", H5T_NATIVE_FLOAT, {4}, creation, nullptr);
        H5Pclose(creation);
        creation = H5Pcreate(H5P_DATASET_CREATE);
        const hid_t space = H5Screate_simple(1, std::data({hsize_t {4}}), nullptr);
        H5Pset_virtual(creation, space, "other.h5", "/x", space);
        rawDataset(raw.id, "virtual", H5T_NATIVE_FLOAT, {4}, creation, nullptr);
        H5Sclose(space);
        H5Pclose(creation);
        rawDataset(raw.id, "unwritten", H5T_NATIVE_FLOAT, {1U << 20U, 1U << 20U}, H5P_DEFAULT, nullptr);
        creation = H5Pcreate(H5P_DATASET_CREATE);
        H5Pset_chunk(creation, 2, std::data({hsize_t {1000}, hsize_t {1000}}));
        H5Pset_deflate(creation, 1);
        rawDataset(raw.id, "sparse", H5T_NATIVE_FLOAT, {1U << 20U, 1U << 20U}, creation, nullptr);
        H5Pset_nbit(creation);
        rawDataset(raw.id, "nbit", H5T_NATIVE_FLOAT, {2000, 2000}, creation, nullptr);
        H5Pclose(creation);
        const hid_t compound = H5Tcreate(H5T_COMPOUND, 8);
        H5Tinsert(compound, "a", 0, H5T_NATIVE_FLOAT);
        H5Tinsert(compound, "b", 4, H5T_NATIVE_FLOAT);
        rawDataset(raw.id, "compound", compound, {2}, H5P_DEFAULT, values.data());
        H5Tclose(compound);
    }
    const Hdf5File file = Hdf5File::openForReading(at("refused.h5"));
    const auto reading = [&](const char* name) { return codeOf([&] { (void)file.readTensor(name); }); };
    QCOMPARE(reading("/outside"), std::optional(ErrorCode::Unsupported));
    QVERIFY(reading("/indirect").has_value());
    QVERIFY(!file.exists("/indirect"));
    QVERIFY(!file.exists("/outside"));
    QCOMPARE(reading("/loopA"), std::optional(ErrorCode::CorruptFile));
    QCOMPARE(reading("/external"), std::optional(ErrorCode::Unsupported));
    QCOMPARE(reading("/virtual"), std::optional(ErrorCode::Unsupported));
    QCOMPARE(reading("/unwritten"), std::optional(ErrorCode::CorruptFile)); // 4 TiB by its shape
    QCOMPARE(reading("/sparse"), std::optional(ErrorCode::CorruptFile));
    QCOMPARE(reading("/nbit"), std::optional(ErrorCode::Unsupported));
    QCOMPARE(reading("/compound"), std::optional(ErrorCode::Unsupported));
    Hdf5File readOnly = Hdf5File::openForReading(at("other.h5"));
    QCOMPARE(codeOf([&] { readOnly.makeGroup("/g"); }), std::optional(ErrorCode::InvalidArgument));
}

void TestHdf5File::unreadablePathsAreNamed()
{
    QCOMPARE(codeOf([&] { (void)Hdf5File::openForReading(at("none.h5")); }), std::optional(ErrorCode::Io));
    QCOMPARE(codeOf([&] { (void)Hdf5File::openForReading(at("")); }), std::optional(ErrorCode::Io));
    QCOMPARE(codeOf([&] { (void)Hdf5File::create(at("no/folder.h5")); }), std::optional(ErrorCode::Io));
    try {
        (void)Hdf5File::openForReading(at("other.h5")).readTensor("/missing/thing");
        QFAIL("read what is not there");
    } catch (const Error& error) {
        const std::string text = error.what();
        QVERIFY2(
            text.find("other.h5") != std::string::npos && text.find("/missing/thing") != std::string::npos,
            text.c_str());
    }
}

QTEST_GUILESS_MAIN(TestHdf5File)
#include "tst_hdf5_file.moc"
