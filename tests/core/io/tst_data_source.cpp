#include "core/base/atomic_file.h"
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/graph/graph_builder.h"
#include "core/io/caching_source.h"
#include "core/io/data_source.h"
#include "core/io/hdf5_file.h"
#include "core/io/image_decoder.h"
#include "core/io/npy_file.h"
#include "core/io/preprocess.h"
#include "core/io/spread_source.h"
#include "tests/support/failure_of.h"
#include "tests/support/fresh_folders.h"

#include <QTest>

#include <algorithm>
#include <atomic>
#include <set>

using namespace qs;
using namespace qs::test;
namespace fs = std::filesystem;

namespace {

/// A model that only has an input "x" of the given dimensions and an output of `classes`.
Model modelOf(std::vector<std::int64_t> dims, DType dtype = DType::F32, std::int64_t classes = 10)
{
    GraphBuilder builder;
    const ValueId input = builder.addInput("x", dtype, std::move(dims));
    const ValueId output = builder.addNode("Identity", "y", {input});
    builder.setDims(output, {-1, classes});
    builder.addOutput(output);
    Model model;
    model.name = "test";
    model.graph = builder.build();
    return model;
}

Model imageModel()
{
    Model model = modelOf({-1, 3, 8, 6});
    model.preprocessing = Preprocessing {.height = 8, .width = 6, .resizeShorter = 10};
    return model;
}

bool sameBytes(const Tensor& a, const Tensor& b)
{
    return a.shape() == b.shape() && a.dtype() == b.dtype()
        && std::equal(a.bytes(), a.bytes() + a.byteCount(), b.bytes());
}

/// Counts how often each sample is made; sample i is [i, i].
class CountingSource final : public DataSource
{
public:
    explicit CountingSource(std::int64_t size = 5)
        : m_size(size)
    {
    }
    [[nodiscard]] std::int64_t size() const override { return m_size; }
    [[nodiscard]] std::string sampleName(std::int64_t) const override { return "s"; }
    [[nodiscard]] std::optional<int> label(std::int64_t index) const override
    {
        return static_cast<int>(index);
    }
    [[nodiscard]] fs::path samplePath(std::int64_t) const override { return {}; }
    [[nodiscard]] std::string hash() const override { return "h"; }
    [[nodiscard]] Tensor load(std::int64_t index) const override
    {
        ++loads;
        return Tensor::of<float>({2}, {static_cast<float>(index), static_cast<float>(index)});
    }
    mutable std::atomic<int> loads = 0;

private:
    std::int64_t m_size;
};

} // namespace

class TestDataSource : public QObject
{
    Q_OBJECT

    FreshFolders m_folders;
    static void addPicture(const fs::path& target, const char* source = "rgb.png")
    {
        fs::create_directories(target.parent_path());
        fs::copy_file(fs::path(QS_TEST_DATA) / "images" / source, target);
    }

private slots:
    void labelsFileGivesOrderAndLabels();
    void badLabelLinesAreNamed_data();
    void badLabelLinesAreNamed();
    void classFoldersAreSortedClasses();
    void aPlainFolderHasNoLabels();
    void aSinglePictureIsASource();
    void foldersWithoutPicturesAndMissingPathsAreErrors();
    void picturesArePreprocessedForTheModel();
    void aDamagedPictureIsNamed();
    void picturesNeedAModelThatTakesThem();
    void npySamplesAreRows();
    void shapesAreCheckedAgainstTheModel();
    void archivesAreSearchedForTheInput();
    void hdf5SamplesAreRead();
    void integersKeepTheModelsType();
    void badLabelsOfTensorsAreErrors();
    void theHashSeesEverythingThatMatters();
    void batchesAreTheSameForAnyThreadCount();
    void theCacheLoadsOnceWithinItsLimit();
    void aSpreadHasEverySampleOnceAndBeginsEverywhere();
};

void TestDataSource::labelsFileGivesOrderAndLabels()
{
    const fs::path folder = m_folders.next();
    addPicture(folder / "b c.JPG", "photo420.jpg");
    addPicture(folder / "a.png");
    addPicture(folder / "unlisted.png");
    writeFileAtomically(folder / "labels.txt", "b c.JPG 7\r\n\n  a.png\t0  \n");
    const auto data = openData(folder, imageModel());
    QCOMPARE(data->size(), std::int64_t {2});
    QCOMPARE(data->sampleName(0), std::string("b c.JPG"));
    QCOMPARE(data->label(0), std::optional(7));
    QCOMPARE(data->sampleName(1), std::string("a.png"));
    QCOMPARE(data->label(1), std::optional(0));
    QCOMPARE(data->samplePath(1), folder / "a.png");
    QCOMPARE(failureOf([&] { (void)data->load(2); }).first, std::optional(ErrorCode::InvalidArgument));
    QCOMPARE(failureOf([&] { (void)data->label(-1); }).first, std::optional(ErrorCode::InvalidArgument));
}

void TestDataSource::badLabelLinesAreNamed_data()
{
    QTest::addColumn<QString>("line");
    QTest::newRow("missing file") << "none.png 1";
    QTest::newRow("no index") << "a.png";
    QTest::newRow("no name") << "3";
    QTest::newRow("not a number") << "a.png one";
    QTest::newRow("negative") << "a.png -1";
    QTest::newRow("fraction") << "a.png 1.5";
    QTest::newRow("beyond int") << "a.png 99999999999";
    QTest::newRow("beyond the classes") << "a.png 10";
    QTest::newRow("outside") << "../a.png 1";
    QTest::newRow("hidden way outside") << "x/../../a.png 1";
    QTest::newRow("absolute") << "/etc/hostname 1";
}

void TestDataSource::badLabelLinesAreNamed()
{
    QFETCH(QString, line);
    const fs::path folder = m_folders.next();
    addPicture(folder / "a.png");
    writeFileAtomically(folder / "labels.txt", "a.png 1\n\n" + line.toStdString() + "\n");
    const auto [code, text] = failureOf([&] { (void)openData(folder, imageModel()); });
    QCOMPARE(code, std::optional(ErrorCode::CorruptFile));
    QVERIFY2(text.find("labels.txt") != std::string::npos && text.find("line 3") != std::string::npos,
        text.c_str());
}

void TestDataSource::classFoldersAreSortedClasses()
{
    const fs::path folder = m_folders.next();
    addPicture(folder / "dog" / "2.png");
    addPicture(folder / "dog" / "1.jpeg", "photo420.jpg");
    addPicture(folder / "cat" / "deep" / "x.PNG");
    addPicture(folder / ".hidden" / "y.png");
    addPicture(folder / "loose.png");
    fs::create_directory(folder / "ant"); // a class without pictures still counts
    fs::create_directory_symlink(folder, folder / "dog" / "loop");
    const auto data = openData(folder, imageModel());
    QCOMPARE(data->size(), std::int64_t {3});
    QCOMPARE(data->sampleName(0), std::string("cat/deep/x.PNG"));
    QCOMPARE(data->label(0), std::optional(1));
    QCOMPARE(data->sampleName(1), std::string("dog/1.jpeg"));
    QCOMPARE(data->sampleName(2), std::string("dog/2.png"));
    QCOMPARE(data->label(2), std::optional(2));
    Model small = imageModel();
    small.graph = modelOf({-1, 3, 8, 6}, DType::F32, 2).graph;
    QCOMPARE(failureOf([&] { (void)openData(folder, small); }).first, std::optional(ErrorCode::CorruptFile));
}

void TestDataSource::aPlainFolderHasNoLabels()
{
    const fs::path folder = m_folders.next();
    addPicture(folder / "b.png");
    addPicture(folder / "a.Jpeg", "grey.jpg");
    writeFileAtomically(folder / "notes.txt", "no picture");
    const auto data = openData(folder, imageModel());
    QCOMPARE(data->size(), std::int64_t {2});
    QCOMPARE(data->sampleName(0), std::string("a.Jpeg"));
    QVERIFY(!data->label(0).has_value());
}

void TestDataSource::aSinglePictureIsASource()
{
    const auto data = openData(fs::path(QS_TEST_DATA) / "images/cmyk.jpg", imageModel());
    QCOMPARE(data->size(), std::int64_t {1});
    QCOMPARE(data->sampleName(0), std::string("cmyk.jpg"));
    QCOMPARE(data->load(0).shape(), (Shape {3, 8, 6}));
}

void TestDataSource::foldersWithoutPicturesAndMissingPathsAreErrors()
{
    const fs::path folder = m_folders.next();
    const auto [code, text] = failureOf([&] { (void)openData(folder, imageModel()); });
    QCOMPARE(code, std::optional(ErrorCode::CorruptFile));
    QVERIFY(text.find(folder.string()) != std::string::npos);
    writeFileAtomically(folder / "labels.txt", "\n");
    QCOMPARE(failureOf([&] { (void)openData(folder, imageModel()); }).first,
        std::optional(ErrorCode::CorruptFile));
    QCOMPARE(failureOf([&] { (void)openData(folder / "none", imageModel()); }).first,
        std::optional(ErrorCode::Io));
    QCOMPARE(failureOf([&] { (void)openData(folder / "labels.txt", imageModel()); }).first,
        std::optional(ErrorCode::Unsupported));
}

void TestDataSource::picturesArePreprocessedForTheModel()
{
    const fs::path folder = m_folders.next();
    addPicture(folder / "a.jpg", "photo444.jpg");
    const Model model = imageModel();
    const Tensor sample = openData(folder, model)->load(0);
    QVERIFY(sameBytes(sample, toModelInput(decodeImage(folder / "a.jpg"), *model.preprocessing)));
}

void TestDataSource::aDamagedPictureIsNamed()
{
    const fs::path folder = m_folders.next();
    writeFileAtomically(folder / "broken one.jpg", "\xFF\xD8\xFF\xE0 not really");
    const auto data = openData(folder, imageModel());
    const auto [code, text] = failureOf([&] { (void)data->load(0); });
    QCOMPARE(code, std::optional(ErrorCode::CorruptFile));
    QVERIFY2(text.find("broken one.jpg") != std::string::npos, text.c_str());
    QCOMPARE(failureOf([&] { (void)loadBatch(*data, 0, 1); }).first, std::optional(ErrorCode::CorruptFile));
}

void TestDataSource::picturesNeedAModelThatTakesThem()
{
    const fs::path folder = m_folders.next();
    addPicture(folder / "a.png");
    QCOMPARE(failureOf([&] {
        (void)openData(folder, modelOf({-1, 5, 16}));
    }).first,
        std::optional(ErrorCode::Unsupported));
    Model other = imageModel();
    other.preprocessing->width = 7;
    QCOMPARE(
        failureOf([&] { (void)openData(folder, other); }).first, std::optional(ErrorCode::ShapeMismatch));
    QCOMPARE(
        failureOf([&] { (void)openData(folder, Model {}); }).first, std::optional(ErrorCode::Unsupported));
}

void TestDataSource::npySamplesAreRows()
{
    const auto data = openData(fs::path(QS_TEST_DATA) / "npy/c_i2.npy", modelOf({-1, 3, 4})); // 0, 1, 2, …
    QCOMPARE(data->size(), std::int64_t {2});
    QCOMPARE(data->sampleName(1), std::string("#1"));
    QVERIFY(data->samplePath(1).empty());
    QVERIFY(!data->label(1).has_value());
    const Tensor sample = data->load(1);
    QCOMPARE(sample.shape(), (Shape {3, 4}));
    QCOMPARE(sample.data<float>()[0], 12.0F);
    QCOMPARE(sample.data<float>()[11], 23.0F);
    const Tensor batch = loadBatch(*data, 0, 2);
    QCOMPARE(batch.shape(), (Shape {2, 3, 4}));
    QCOMPARE(batch.data<float>()[13], 13.0F);
    QCOMPARE(failureOf([&] { (void)data->load(2); }).first, std::optional(ErrorCode::InvalidArgument));
}

void TestDataSource::shapesAreCheckedAgainstTheModel()
{
    const fs::path file = fs::path(QS_TEST_DATA) / "npy/c_f4.npy"; // [2, 3, 4]
    QCOMPARE(openData(file, modelOf({1, -1, 4}))->size(), std::int64_t {2}); // a fixed batch is no limit
    for (const auto& dims :
        std::vector<std::vector<std::int64_t>> {{-1, 4, 3}, {-1, 12}, {-1, 3, 4, 1}, {-1}}) {
        const auto [code, text] = failureOf([&] { (void)openData(file, modelOf(dims)); });
        QCOMPARE(code, std::optional(ErrorCode::ShapeMismatch));
        QVERIFY2(text.find("[2, 3, 4]") != std::string::npos, text.c_str());
    }
    const fs::path empty = fs::path(QS_TEST_DATA) / "npy/empty_f4.npy";
    QCOMPARE(failureOf([&] {
        (void)openData(empty, modelOf({-1, 4}));
    }).first,
        std::optional(ErrorCode::CorruptFile));
}

void TestDataSource::archivesAreSearchedForTheInput()
{
    const fs::path file
        = fs::path(QS_TEST_DATA) / "npy/deflated.npz"; // x [3, 2], labels [3], zeros [100, 10]
    const auto named = openData(file, modelOf({-1, 2}));
    QCOMPARE(named->size(), std::int64_t {3});
    QCOMPARE(named->label(2), std::optional(2));
    QCOMPARE(named->load(1).data<float>()[1], 3.0F);
    const auto wrongShape = failureOf([&] {
        (void)openData(file, modelOf({-1, 10}));
    }); // named x, but [3, 2]
    QCOMPARE(wrongShape.first, std::optional(ErrorCode::ShapeMismatch));
}

void TestDataSource::hdf5SamplesAreRead()
{
    const fs::path folder = m_folders.next();
    {
        Hdf5File file = Hdf5File::create(folder / "a.h5");
        file.writeTensor("/pixels", Tensor::of<double>({2, 3}, {0, 1, 2, 3, 4, 5}), Compression::Deflate);
        file.writeTensor("/other", Tensor::of<float>({2, 4}, {0, 1, 2, 3, 4, 5, 6, 7}));
        file.writeTensor("/labels", Tensor::of<std::uint8_t>({2}, {9, 4}));
        file.writeTensor("/group/x", Tensor::of<float>({1}, {0}));
        file.writeTensor("/twin", Tensor::of<float>({2, 4}, {0, 1, 2, 3, 4, 5, 6, 7}));
        file.close();
    }
    const auto data = openData(folder / "a.h5", modelOf({-1, 3})); // the only one of that shape
    QCOMPARE(data->size(), std::int64_t {2});
    QCOMPARE(data->label(0), std::optional(9));
    QCOMPARE(data->load(1).data<float>()[2], 5.0F);
    const auto several = failureOf([&] { (void)openData(folder / "a.h5", modelOf({-1, 4})); });
    QCOMPARE(several.first, std::optional(ErrorCode::ShapeMismatch));
    QVERIFY2(several.second.find("other, twin") != std::string::npos, several.second.c_str());
    const auto none = failureOf([&] { (void)openData(folder / "a.h5", modelOf({-1, 5})); });
    QCOMPARE(none.first, std::optional(ErrorCode::ShapeMismatch));
}

void TestDataSource::integersKeepTheModelsType()
{
    const fs::path folder = fs::path(QS_TEST_DATA) / "npy";
    const Tensor sample = openData(folder / "c_u2.npy", modelOf({-1, 3, 4}, DType::I64))->load(1);
    QCOMPARE(sample.dtype(), DType::I64);
    QCOMPARE(sample.data<std::int64_t>()[1], std::int64_t {13});
    QCOMPARE(openData(folder / "c_i8.npy", modelOf({-1, 3, 4}, DType::I64))->load(1).data<std::int64_t>()[0],
        std::int64_t {12});
    QCOMPARE(
        openData(folder / "c_i8.npy", modelOf({-1, 3, 4}, DType::I32))->load(1).data<std::int32_t>()[0], 12);
    const auto floats = openData(folder / "c_f4.npy", modelOf({-1, 3, 4}, DType::I64));
    QCOMPARE(failureOf([&] { (void)floats->load(0); }).first, std::optional(ErrorCode::ShapeMismatch));
}

void TestDataSource::badLabelsOfTensorsAreErrors()
{
    const fs::path folder = m_folders.next();
    const auto write = [&](const Tensor& labels) {
        Hdf5File file = Hdf5File::create(folder / "l.h5");
        file.writeTensor("/x", Tensor::of<float>({2, 1}, {0, 1}));
        file.writeTensor("/labels", labels);
        file.close();
        return failureOf([&] { (void)openData(folder / "l.h5", modelOf({-1, 1})); }).first;
    };
    QCOMPARE(write(Tensor::of<std::int64_t>({2}, {0, 9})), std::optional<ErrorCode>());
    QCOMPARE(write(Tensor::of<std::int64_t>({3}, {0, 1, 2})), std::optional(ErrorCode::ShapeMismatch));
    QCOMPARE(write(Tensor::of<std::int64_t>({2, 1}, {0, 1})), std::optional(ErrorCode::ShapeMismatch));
    QCOMPARE(write(Tensor::of<std::int64_t>({2}, {0, -1})), std::optional(ErrorCode::CorruptFile));
    QCOMPARE(write(Tensor::of<std::int64_t>({2}, {0, 10})), std::optional(ErrorCode::CorruptFile));
    QCOMPARE(write(Tensor::of<float>({2}, {0, 0.5F})), std::optional(ErrorCode::CorruptFile));
    QCOMPARE(write(Tensor::of<float>({2}, {0, std::numeric_limits<float>::quiet_NaN()})),
        std::optional(ErrorCode::CorruptFile));
}

void TestDataSource::theHashSeesEverythingThatMatters()
{
    const Model model = imageModel();
    const auto make = [&](const char* labels, const char* picture) {
        const fs::path folder = m_folders.next();
        addPicture(folder / "a.png", picture);
        addPicture(folder / "b.png");
        writeFileAtomically(folder / "labels.txt", labels);
        return folder;
    };
    const fs::path folder = make("a.png 1\nb.png 2\n", "palette.png");
    const auto data = openData(folder, model);
    const std::string hash = data->hash();
    QCOMPARE(hash.size(), std::size_t {64});
    QCOMPARE(data->hash(), hash);
    const auto hashOf = [&](const fs::path& other) { return openData(other, model)->hash(); };
    QCOMPARE(hashOf(make("a.png 1\nb.png 2\n", "palette.png")), hash); // another place, the same set
    QVERIFY(hashOf(make("a.png 1\nb.png 3\n", "palette.png")) != hash);
    QVERIFY(hashOf(make("b.png 2\na.png 1\n", "palette.png")) != hash);
    QVERIFY(hashOf(make("a.png 1\nb.png 2\n", "grey.png")) != hash);
    Model other = model;
    other.preprocessing->mean[1] = 0.4;
    QVERIFY(openData(folder, other)->hash() != hash);
    const fs::path arrays = fs::path(QS_TEST_DATA) / "npy";
    QVERIFY(openData(arrays / "stored.npz", modelOf({-1, 2}))->hash()
        != openData(arrays / "deflated.npz", modelOf({-1, 2}))->hash());
}

void TestDataSource::batchesAreTheSameForAnyThreadCount()
{
    const fs::path folder = m_folders.next();
    int serial = 0;
    for (const char* picture : {"rgb.png", "photo420.jpg", "cmyk.jpg", "grey.png", "progressive.jpg"}) {
        addPicture(folder / (std::to_string(serial++) + fs::path(picture).extension().string()), picture);
    }
    const auto data = openData(folder, imageModel());
    const int threads = threadCount();
    setThreadCount(1);
    const Tensor one = loadBatch(*data, 1, 4);
    setThreadCount(4);
    const Tensor four = loadBatch(*data, 1, 4);
    setThreadCount(threads);
    QCOMPARE(one.shape(), (Shape {4, 3, 8, 6}));
    QVERIFY(sameBytes(one, four));
    const Tensor last = data->load(4);
    QVERIFY(std::equal(
        last.data<float>().begin(), last.data<float>().end(), one.data<float>().begin() + 3 * 144));
    for (const auto& [first, count] :
        {std::pair {0, 6}, std::pair {-1, 2}, std::pair {5, 1}, std::pair {0, 0}}) {
        QCOMPARE(failureOf([&, f = first, c = count] { (void)loadBatch(*data, f, c); }).first,
            std::optional(ErrorCode::InvalidArgument));
    }
}

void TestDataSource::theCacheLoadsOnceWithinItsLimit()
{
    const auto source = std::make_shared<CountingSource>();
    const CachingSource cache(source, 3 * 8 + 7); // three samples of eight bytes
    for (int round = 0; round < 4; ++round) {
        for (std::int64_t i = 0; i < cache.size(); ++i) {
            QCOMPARE(cache.load(i).data<float>()[1], static_cast<float>(i));
        }
    }
    QCOMPARE(source->loads.load(), 5 + 3 * 2);
    QCOMPARE(cache.byteCount(), std::size_t {24});
    QCOMPARE(cache.label(3), std::optional(3));
    QCOMPARE(cache.hash(), std::string("h"));
}

void TestDataSource::aSpreadHasEverySampleOnceAndBeginsEverywhere()
{
    for (const std::int64_t size : {1, 2, 3, 6, 10, 64, 468, 512}) {
        const SpreadSource spread(std::make_shared<CountingSource>(size));
        std::set<std::int64_t> seen;
        for (std::int64_t i = 0; i < size; ++i) {
            seen.insert(spread.original(i));
        }
        QCOMPARE(static_cast<std::int64_t>(seen.size()), size);
        QCOMPARE(*seen.rbegin(), size - 1);
        const std::int64_t begun = std::min<std::int64_t>(size, 8);
        std::vector<std::int64_t> first {0, size};
        for (std::int64_t i = 0; i < begun; ++i) {
            first.push_back(spread.original(i));
        }
        std::ranges::sort(first);
        for (std::size_t i = 1; i < first.size(); ++i) { // no part of the set is left out
            QVERIFY(first[i] - first[i - 1] <= 3 * size / begun);
        }
    }
    const SpreadSource spread(std::make_shared<CountingSource>(10));
    QCOMPARE(spread.load(1).data<float>()[0], static_cast<float>(spread.original(1)));
    QCOMPARE(spread.label(1), std::optional(static_cast<int>(spread.original(1))));
}

QTEST_GUILESS_MAIN(TestDataSource)

#include "tst_data_source.moc"
