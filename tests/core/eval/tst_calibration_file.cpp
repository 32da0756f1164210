#include "core/base/error.h"
#include "core/eval/calibrate.h"
#include "core/eval/calibration_arrays.h"
#include "core/io/hdf5_file.h"
#include "core/stats/site_accumulator.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>
#include <functional>
#include <limits>
#include <random>

using namespace qs;

namespace {

std::shared_ptr<const SiteStatistics> siteOf(
    const std::string& name, GroupAxis axis, Role role, std::int64_t groups)
{
    std::mt19937 generator(5);
    std::normal_distribution<float> normal;
    SiteAccumulator accumulator(name, axis, role, groups);
    std::vector<float> values(static_cast<std::size_t>(3 * 40 * 20));
    for (float& value : values) {
        value = role == Role::Softmax ? std::exp(-std::fabs(4 * normal(generator))) : normal(generator);
    }
    values[7] = std::numeric_limits<float>::quiet_NaN();
    for (std::size_t i = 3; i < values.size(); i += 20) {
        values[i] = 0.25F; // a constant channel
    }
    const bool heads = axis == GroupAxis::Head;
    accumulator.observe({.data = values.data(),
        .batch = 1,
        .heads = heads ? groups : 1,
        .rows = heads ? 2400 / groups / 20 : 120,
        .width = 20,
        .batchStride = 2400,
        .headStride = heads ? 2400 / groups : 0,
        .rowStride = 20});
    return accumulator.finish();
}

Calibration sample()
{
    Calibration calibration;
    calibration.modelHash = "5f2b";
    calibration.dataHash = "";
    calibration.dataPreparation = "context 128, tokenizer 0123";
    calibration.sampleCount = 3;
    for (const auto& site : {siteOf("/blocks.0/attn/qkv.input", GroupAxis::Channel, Role::PostNormQkv, 20),
             siteOf("blocks.0.attn.softmax", GroupAxis::Head, Role::Softmax, 3),
             siteOf("blocks.0.attn.key", GroupAxis::Head, Role::Key, 4),
             SiteAccumulator("unused", GroupAxis::Channel, Role::Other, 2).finish()}) {
        calibration.sites[site->site] = site;
    }
    return calibration;
}

bool equal(const Calibration& a, const Calibration& b)
{
    bool same = a.modelHash == b.modelHash && a.dataHash == b.dataHash
        && a.dataPreparation == b.dataPreparation && a.sampleCount == b.sampleCount
        && a.sites.size() == b.sites.size();
    for (const auto& [name, site] : a.sites) {
        same = same && b.find(name) != nullptr && *b.find(name) == *site;
    }
    return same;
}

ErrorCode codeOf(const std::function<void()>& action)
{
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return ErrorCode::Internal;
}

using Change = std::function<void(CalibrationArrays&)>;

} // namespace

Q_DECLARE_METATYPE(Change)

class TestCalibrationFile : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;
    [[nodiscard]] std::filesystem::path file(const char* name) const
    {
        return m_folder.filePath(QString::fromLatin1(name)).toStdString();
    }
    [[nodiscard]] static QByteArray bytesOf(const std::filesystem::path& path)
    {
        QFile source(QString::fromStdString(path.string()));
        return source.open(QIODevice::ReadOnly) ? source.readAll() : QByteArray();
    }
    static void write(const std::filesystem::path& path, const QByteArray& bytes)
    {
        QFile target(QString::fromStdString(path.string()));
        QVERIFY(target.open(QIODevice::WriteOnly));
        QCOMPARE(target.write(bytes), bytes.size());
    }

private slots:
    void whatIsSavedIsLoadedBitForBit()
    {
        const Calibration calibration = sample();
        saveCalibration(calibration, file("calib.h5"));
        QVERIFY(equal(*loadCalibration(file("calib.h5")), calibration));
    }
    void theFileIsLaidOutAsDocumented()
    {
        const Calibration calibration = sample();
        saveCalibration(calibration, file("layout.h5"));
        const Hdf5File layout = Hdf5File::openForReading(file("layout.h5"));
        QCOMPARE(layout.readString("/", "format"), std::string("quantoscope-calibration"));
        QCOMPARE(layout.readInteger("/", "version"), std::int64_t {2});
        QCOMPARE(layout.readString("/sites/00002", "name"), std::string("blocks.0.attn.softmax"));
        QCOMPARE(layout.readString("/sites/00002", "axis"), std::string("head"));
        QCOMPARE(layout.readTensor("/sites/00002/scale").data<std::uint8_t>()[0], std::uint8_t {1});
        // Sum and sum of squares of a bin of channel 1 from the places, by the formula in formats.md.
        const Histogram& histogram = calibration.find("/blocks.0/attn/qkv.input")->groups[1].histogram;
        const std::string group = "/sites/00000/";
        const std::uint32_t skip = layout.readTensor(group + "bins").data<std::uint32_t>()[0];
        const auto count
            = static_cast<double>(layout.readTensor(group + "bin_count").data<std::uint64_t>()[skip]);
        const double t = layout.readTensor(group + "place_sum").data<float>()[skip];
        const double q = layout.readTensor(group + "place_squares").data<float>()[skip];
        const double edge = layout.readTensor(group + "width").data<double>()[1]
            * static_cast<double>(layout.readTensor(group + "first_bin").data<std::int64_t>()[1]);
        const double step = layout.readTensor(group + "width").data<double>()[1];
        QCOMPARE(histogram.sums[0], edge * count + step * t);
        QCOMPARE(histogram.squares[0], edge * edge * count + 2.0 * edge * step * t + step * step * q);
    }
    void sumsThatHaveNoPlacesAreKeptAsDoubles()
    {
        Calibration calibration = sample();
        SiteStatistics site = *calibration.find("blocks.0.attn.key");
        Histogram& histogram = site.groups[0].histogram;
        for (double& sum : histogram.sums) {
            sum *= 1.0 + 1e-9; // no float place gives this sum
        }
        QVERIFY(flattened(site).form == BinForm::Sums);
        calibration.sites[site.site] = std::make_shared<const SiteStatistics>(site);
        saveCalibration(calibration, file("sums.h5"));
        QVERIFY(equal(*loadCalibration(file("sums.h5")), calibration));
    }
    void equalCalibrationsGiveEqualFiles()
    {
        saveCalibration(sample(), file("a.h5"));
        saveCalibration(sample(), file("b.h5"));
        QVERIFY(bytesOf(file("a.h5")) == bytesOf(file("b.h5")));
    }
    void anEmptyCalibrationIsAFileToo()
    {
        saveCalibration(Calibration {}, file("empty.h5"));
        QVERIFY(equal(*loadCalibration(file("empty.h5")), Calibration {}));
    }

    void truncatedFilesAreRefused()
    {
        saveCalibration(sample(), file("whole.h5"));
        const QByteArray whole = bytesOf(file("whole.h5"));
        for (const double share : {0.0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99}) {
            write(file("cut.h5"),
                whole.left(static_cast<qsizetype>(share * static_cast<double>(whole.size()))));
            const ErrorCode code = codeOf([&] { (void)loadCalibration(file("cut.h5")); });
            QVERIFY(code == ErrorCode::CorruptFile || code == ErrorCode::Io);
        }
    }
    void flippedBitsAreFoundOrHarmless()
    {
        const Calibration calibration = sample();
        saveCalibration(calibration, file("good.h5"));
        const QByteArray good = bytesOf(file("good.h5"));
        std::mt19937 generator(9);
        int found = 0;
        for (int i = 0; i < 400; ++i) {
            QByteArray bad = good;
            const auto at = static_cast<qsizetype>(generator() % static_cast<unsigned>(bad.size()));
            bad[at] = static_cast<char>(bad[at] ^ (1 << (generator() % 8)));
            write(file("bad.h5"), bad);
            try {
                QVERIFY(equal(*loadCalibration(file("bad.h5")), calibration));
            } catch (const Error& error) {
                QVERIFY(error.code() != ErrorCode::Internal);
                ++found;
            }
        }
        QVERIFY(found > 50);
    }
    void otherFilesAndVersionsAreRefused()
    {
        QCOMPARE(codeOf([&] { (void)loadCalibration(file("absent.h5")); }), ErrorCode::Io);
        write(file("text.h5"), "not an HDF5 file at all");
        QCOMPARE(codeOf([&] { (void)loadCalibration(file("text.h5")); }), ErrorCode::CorruptFile);
        const auto make = [&](const char* format, std::int64_t version) {
            Hdf5File other = Hdf5File::create(file("other.h5"));
            other.writeString("/", "format", format);
            other.writeInteger("/", "version", version);
            other.close();
            return codeOf([&] { (void)loadCalibration(file("other.h5")); });
        };
        QCOMPARE(make("something-else", 1), ErrorCode::CorruptFile);
        QCOMPARE(make("quantoscope-calibration", 3), ErrorCode::Unsupported);
        QCOMPARE(make("quantoscope-calibration", 1), ErrorCode::CorruptFile); // and nothing else in it
    }

    void contradictionsAreRefused_data()
    {
        QTest::addColumn<Change>("change");
        const auto row = [](const char* name, Change change) { QTest::newRow(name) << change; };
        row("fewer minima than groups", [](CalibrationArrays& a) { a.minimum.pop_back(); });
        row("more widths than groups", [](CalibrationArrays& a) { a.width.push_back(1.0); });
        row("no bins array", [](CalibrationArrays& a) { a.bins.clear(); });
        row("fewer bins than stated", [](CalibrationArrays& a) { a.binCount.pop_back(); });
        row("more places than bins", [](CalibrationArrays& a) { a.placeSum.push_back(0.0F); });
        row("bins beyond every file", [](CalibrationArrays& a) { a.bins[0] = 0xFFFFFFFF; });
        row("a value not in any bin", [](CalibrationArrays& a) { ++a.count[0]; });
        row("a value too many in a bin", [](CalibrationArrays& a) { ++a.binCount[0]; });
        row("counts that overflow", [](CalibrationArrays& a) {
            a.binCount[0] = a.binCount[1] = std::uint64_t {1} << 63;
            a.placeSum[0] = a.placeSum[1] = a.placeSquares[0] = a.placeSquares[1] = 0.0F;
        });
        row("zeros beside linear bins", [](CalibrationArrays& a) {
            ++a.zeros[0];
            ++a.count[0];
        });
        row("minimum above maximum", [](CalibrationArrays& a) { std::swap(a.minimum[0], a.maximum[0]); });
        row("infinite maximum",
            [](CalibrationArrays& a) { a.maximum[0] = std::numeric_limits<float>::infinity(); });
        row("minimum not a number",
            [](CalibrationArrays& a) { a.minimum[0] = std::numeric_limits<float>::quiet_NaN(); });
        row("width of zero", [](CalibrationArrays& a) { a.width[0] = 0.0; });
        row("negative width", [](CalibrationArrays& a) { a.width[0] = -a.width[0]; });
        row("width of three", [](CalibrationArrays& a) { a.width[0] = 3.0; });
        row("width not a number",
            [](CalibrationArrays& a) { a.width[0] = std::numeric_limits<double>::quiet_NaN(); });
        row("width beyond floats", [](CalibrationArrays& a) { a.width[0] = 0x1p600; });
        row("first bin out of reach", [](CalibrationArrays& a) { a.firstBin[0] = std::int64_t {1} << 62; });
        row("first bin most negative",
            [](CalibrationArrays& a) { a.firstBin[0] = std::numeric_limits<std::int64_t>::min(); });
        row("unknown kind of bins", [](CalibrationArrays& a) { a.scale[0] = 7; });
        row("log2 bins with the grid of linear ones", [](CalibrationArrays& a) { a.scale[0] = 1; });
        row("a place beyond its bin", [](CalibrationArrays& a) { a.placeSum[0] = 1e6F; });
        row("a place not a number",
            [](CalibrationArrays& a) { a.placeSquares[0] = std::numeric_limits<float>::quiet_NaN(); });
        row("negative sum of squares", [](CalibrationArrays& a) { a.squares[0] = -1.0; });
        row("a sum that the bins do not add up to",
            [](CalibrationArrays& a) { a.sum[0] += 0.5 * std::fabs(a.sum[0]) + 1.0; });
        row("bins beside the range", [](CalibrationArrays& a) { a.firstBin[0] += 4000; });
        row("sum larger than its squares allow", [](CalibrationArrays& a) { a.sum[0] = 1e9; });
    }
    void contradictionsAreRefused()
    {
        QFETCH(Change, change);
        CalibrationArrays arrays = flattened(*sample().find("/blocks.0/attn/qkv.input"));
        QVERIFY(arrays.form == BinForm::Places);
        (void)restored(arrays, "x");
        change(arrays);
        QCOMPARE(codeOf([&] { (void)restored(arrays, "x"); }), ErrorCode::CorruptFile);
    }
    void savingToNowhereLeavesNothing()
    {
        QCOMPARE(codeOf([&] { saveCalibration(sample(), file("absent/calib.h5")); }), ErrorCode::Io);
    }
};

QTEST_GUILESS_MAIN(TestCalibrationFile)
#include "tst_calibration_file.moc"
