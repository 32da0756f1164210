#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/eval/calibrate.h"
#include "core/eval/calibration_microscope.h"
#include "core/eval/input_check.h"
#include "core/io/hdf5_file.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <random>

using namespace qs;

namespace {

/// Chosen samples of another source, each value mapped.
class MappedData final : public DataSource
{
public:
    MappedData(std::shared_ptr<const DataSource> source, std::vector<std::int64_t> chosen,
        std::function<float(float, std::int64_t channel)> map)
        : m_source(std::move(source))
        , m_chosen(std::move(chosen))
        , m_map(std::move(map))
    {
    }
    [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(m_chosen.size()); }
    [[nodiscard]] std::string sampleName(std::int64_t index) const override
    {
        return m_source->sampleName(at(index));
    }
    [[nodiscard]] std::optional<int> label(std::int64_t) const override { return {}; }
    [[nodiscard]] std::filesystem::path samplePath(std::int64_t) const override { return {}; }
    [[nodiscard]] Tensor load(std::int64_t index) const override
    {
        const Tensor from = m_source->load(at(index));
        Tensor to(DType::F32, from.shape());
        const auto perChannel = from.shape().elementCount() / from.shape()[0];
        for (std::int64_t i = 0; i < from.elementCount(); ++i) {
            to.mutableData<float>()[static_cast<std::size_t>(i)]
                = m_map(from.data<float>()[static_cast<std::size_t>(i)], i / perChannel);
        }
        return to;
    }
    [[nodiscard]] std::string hash() const override { return "mapped"; }

private:
    [[nodiscard]] std::int64_t at(std::int64_t index) const
    {
        return m_chosen.at(static_cast<std::size_t>(index));
    }

    std::shared_ptr<const DataSource> m_source;
    std::vector<std::int64_t> m_chosen;
    std::function<float(float, std::int64_t)> m_map;
};

std::vector<std::int64_t> numbers(std::int64_t count, std::int64_t without = -1)
{
    std::vector<std::int64_t> all;
    for (std::int64_t i = 0; i < count; ++i) {
        if (i != without) {
            all.push_back(i);
        }
    }
    return all;
}

float same(float value, std::int64_t)
{
    return value;
}

} // namespace

/// Which samples set the ranges. The references are calibrations of other sets: without a sample, or of the
/// first ones only.
class TestCalibrationMicroscope : public QObject
{
    Q_OBJECT
private slots:
    void initTestCase()
    {
        m_model = loadModel(QS_DEMO);
        m_data = openData(QS_DEMO "/calib", *m_model);
        m_calibration = calibrate(m_model, MappedData(m_data, numbers(kSamples), same), 0);
    }
    void cleanup() { setThreadCount(2); }

    void withoutASampleTheRangeIsThatOfTheOthers()
    {
        std::map<std::int64_t, std::shared_ptr<const Calibration>> others;
        int set = 0;
        for (const auto& [site, statistics] : m_calibration->sites) {
            const auto found = examineSite(*statistics, {});
            QVERIFY(found.has_value());
            QCOMPARE(found->samples, kSamples);
            QCOMPARE(found->range.lower, static_cast<double>(statistics->minimum()));
            QCOMPARE(found->range.upper, static_cast<double>(statistics->maximum()));
            QVERIFY(found->influences.size() >= 5);
            for (const SampleInfluence& influence : found->influences) {
                auto& other = others[influence.sample.sample];
                if (!other) {
                    other = calibrate(
                        m_model, MappedData(m_data, numbers(kSamples, influence.sample.sample), same), 0);
                }
                const SiteStatistics& rest = *other->find(site);
                QCOMPARE(influence.without.lower, static_cast<double>(rest.minimum()));
                QCOMPARE(influence.without.upper, static_cast<double>(rest.maximum()));
                set += influence.setsLower ? 1 : 0;
                QCOMPARE(influence.setsUpper, rest.maximum() < statistics->maximum());
                const bool sets = influence.setsLower || influence.setsUpper;
                QVERIFY(sets || influence.sqnrDb == found->sqnrDb); // nothing changes without it
            }
        }
        QVERIFY(set > 10);
    }
    void theCourseOfTheRangeIsThatOfTheFirstSamples()
    {
        for (const std::int64_t count : {std::int64_t {1}, std::int64_t {3}, std::int64_t {7}}) {
            const auto first = calibrate(m_model, *m_data, count);
            for (const auto& [site, statistics] : m_calibration->sites) {
                const auto found = examineSite(*statistics, {});
                const RangeProgress& point = found->progress.at(static_cast<std::size_t>(count - 1));
                QCOMPARE(point.samples, count);
                QCOMPARE(point.range.lower, static_cast<double>(first->find(site)->minimum()));
                QCOMPARE(point.range.upper, static_cast<double>(first->find(site)->maximum()));
                QCOMPARE(found->progress.back().coverage, 1.0);
                QVERIFY(point.coverage > 0.0 && point.coverage <= 1.0);
            }
        }
    }
    void coverageAndSettlingOfKnownValues()
    {
        // Two channels of evenly spread values; the range is complete with the third sample.
        SiteStatistics site;
        site.site = "x";
        for (int g = 0; g < 2; ++g) {
            GroupStatistics group;
            group.minimum = 0.0F;
            group.maximum = g == 0 ? 4.0F : 8.0F;
            group.count = 80;
            group.histogram.width = 1.0;
            const std::size_t bins = g == 0 ? 4 : 8;
            group.histogram.counts.assign(bins, 80 / bins);
            for (std::size_t bin = 0; bin < bins; ++bin) {
                const double count = 80.0 / static_cast<double>(bins);
                const double middle = static_cast<double>(bin) + 0.5;
                group.histogram.sums.push_back(count * middle);
                group.histogram.squares.push_back(count * middle * middle);
                group.sum += count * middle;
                group.sumOfSquares += count * middle * middle;
            }
            site.groups.push_back(group);
        }
        for (const float top : {2.0F, 4.0F, 8.0F, 3.0F}) {
            ValueRange range;
            range.include(0.0F, top);
            site.samples.add(range);
        }
        const auto found = examineSite(site, {});
        QCOMPARE(found->progress[0].coverage, (40.0 + 20.0) / 160.0); // up to 2
        QCOMPARE(found->progress[1].coverage, (80.0 + 40.0) / 160.0); // up to 4
        QCOMPARE(found->progress[2].coverage, 1.0);
        QCOMPARE(found->settledAfter, std::int64_t {3});
        const auto outlier = std::ranges::find(found->influences, std::int64_t {2},
            [](const SampleInfluence& influence) { return influence.sample.sample; });
        QVERIFY(outlier->setsUpper && !outlier->setsLower);
        QCOMPARE(outlier->without.upper, 4.0);
        QVERIFY(outlier->clippingShare > 0.9); // half of a channel now lies outside
        QVERIFY(!examineSite(SiteStatistics {"w", GroupAxis::Channel, site.groups, {}}, {}).has_value());
    }
    void manySamplesTakeNoMoreRoom()
    {
        std::mt19937 random(3);
        std::vector<std::pair<float, float>> all;
        SampleRanges ranges;
        for (int i = 0; i < 5000; ++i) {
            const auto low = static_cast<float>(random() % 100000) * -1e-3F;
            const auto high = static_cast<float>(random() % 100000) * 1e-3F;
            all.emplace_back(low, high);
            ValueRange range;
            range.include(low, high);
            ranges.add(range);
            if (i + 1 == 256) {
                QCOMPARE(ranges.spans.size(), std::size_t {256}); // every one of its own so far
            }
        }
        QVERIFY(
            ranges.spans.size() <= SampleRanges::kSpans && ranges.spans.size() > SampleRanges::kSpans / 2);
        QCOMPARE(ranges.lowest.size(), SampleRanges::kExtremes);
        std::vector<std::size_t> order(all.size());
        std::iota(order.begin(), order.end(), std::size_t {0});
        std::ranges::stable_sort(order, {}, [&](std::size_t i) { return all[i].first; });
        for (std::size_t i = 0; i < SampleRanges::kExtremes; ++i) {
            QCOMPARE(ranges.lowest[i].sample, static_cast<std::int64_t>(order[i]));
        }
        std::ranges::stable_sort(order, std::greater<> {}, [&](std::size_t i) { return all[i].second; });
        for (std::size_t i = 0; i < SampleRanges::kExtremes; ++i) {
            QCOMPARE(ranges.highest[i].sample, static_cast<std::int64_t>(order[i]));
        }
        std::size_t next = 0;
        for (const SampleSpan& span : ranges.spans) {
            float low = all[next].first;
            float high = all[next].second;
            for (std::int64_t i = 0; i < span.samples; ++i, ++next) {
                low = std::min(low, all[next].first);
                high = std::max(high, all[next].second);
            }
            QVERIFY(span.range.minimum == low && span.range.maximum == high);
        }
        QCOMPARE(next, all.size());
        SampleRanges one;
        SampleRanges two;
        for (std::size_t i = 0; i < 100; ++i) {
            ValueRange range;
            range.include(all[i].first, all[i].second);
            (i < 37 ? one : two).add(range);
        }
        const SampleRanges sum = joined(one, two);
        QCOMPARE(sum.samples, std::int64_t {100});
        QCOMPARE(sum.spans.size(), std::size_t {100});
        const auto lowest = std::min_element(all.begin(), all.begin() + 100);
        QCOMPARE(sum.lowest.front().sample, lowest - all.begin());
    }
    void sameForAnyBatchAndThreads()
    {
        const MappedData data(m_data, numbers(kSamples), same);
        const auto single = calibrate(m_model, data, 0, {}, 1);
        setThreadCount(1);
        const auto serial = calibrate(m_model, data, 0, {}, 5);
        for (const auto& [site, statistics] : m_calibration->sites) {
            QVERIFY(single->find(site)->samples == statistics->samples);
            QVERIFY(serial->find(site)->samples == statistics->samples);
            QCOMPARE(statistics->samples.spans.size(), static_cast<std::size_t>(kSamples));
        }
    }
    void filesKeepItAndEarlierOnesAreRead()
    {
        QTemporaryDir folder;
        const std::string path = folder.filePath(QStringLiteral("c.h5")).toStdString();
        saveCalibration(*m_calibration, path);
        const auto loaded = loadCalibration(path);
        for (const auto& [site, statistics] : loaded->sites) {
            QVERIFY(*statistics == *m_calibration->find(site));
        }
        // Files of version 1 are the same without it.
        Calibration stripped = *m_calibration;
        for (auto& [site, statistics] : stripped.sites) {
            auto without = std::make_shared<SiteStatistics>(*statistics);
            without->samples = {};
            statistics = without;
        }
        const std::string old = folder.filePath(QStringLiteral("old.h5")).toStdString();
        Hdf5File written = Hdf5File::create(old);
        written.writeString("/", "format", "quantoscope-calibration");
        written.writeInteger("/", "version", 1);
        writeCalibration(written, "/", stripped);
        written.close();
        const auto early = loadCalibration(old);
        QVERIFY(!early->sites.empty());
        for (const auto& [site, statistics] : early->sites) {
            QVERIFY(statistics->samples.spans.empty());
            QVERIFY(statistics->count() > 0);
            QVERIFY(!examineSite(*statistics, {}).has_value());
        }
    }
    void aWrongMeanOrDeviationIsSeen_data()
    {
        QTest::addColumn<double>("mean");
        QTest::addColumn<double>("deviation");
        QTest::addColumn<QString>("looksLike");
        QTest::newRow("as configured") << -1.0 << 0.0 << QString();
        QTest::newRow("not at all") << 0.0 << 1.0 << QStringLiteral("pixels between 0 and 1");
        QTest::newRow("bytes") << 0.0 << 1.0 / 255 << QStringLiteral("pixels between 0 and 255");
        QTest::newRow("half and half") << 0.5 << 0.5 << QStringLiteral("mean 0.5 and deviation 0.5");
        QTest::newRow("ImageNet") << 0.456 << 0.224 << QStringLiteral("ImageNet's mean and deviation");
    }
    void aWrongMeanOrDeviationIsSeen()
    {
        QFETCH(double, mean);
        QFETCH(double, deviation);
        QFETCH(QString, looksLike);
        // The demo as if it wanted something else than what its pictures are prepared with here.
        auto model = std::make_shared<Model>(*m_model);
        const Preprocessing own = *m_model->preprocessing;
        const bool half = own.mean[0] == 0.5 && own.standardDeviation[0] == 0.5;
        const bool toHalf = mean == 0.5;
        if (half && toHalf) { // what would be right for it: the model is told to want ImageNet's
            model->preprocessing->mean = {0.485, 0.456, 0.406};
            model->preprocessing->standardDeviation = {0.229, 0.224, 0.225};
        }
        const auto prepared = [&](float value, std::int64_t c) {
            if (mean < 0.0) {
                return value;
            }
            const auto channel = static_cast<std::size_t>(c);
            const double pixel
                = static_cast<double>(value) * own.standardDeviation[channel] + own.mean[channel];
            return static_cast<float>((pixel - mean) / deviation);
        };
        const auto calibration = calibrate(m_model, MappedData(m_data, numbers(kSamples), prepared), 0);
        const auto check = checkInput(*model, *calibration);
        QVERIFY(check.has_value());
        QCOMPARE(check->fits, looksLike.isEmpty());
        QCOMPARE(check->sentence.empty(), looksLike.isEmpty());
        QVERIFY2(QString::fromStdString(check->sentence).contains(looksLike), check->sentence.c_str());
    }
    void figuresOfTheInputAreThoseOfThePictures()
    {
        const auto check = checkInput(*m_model, *m_calibration);
        for (std::size_t c = 0; c < 3; ++c) {
            double sum = 0.0;
            double squares = 0.0;
            double count = 0.0;
            for (std::int64_t i = 0; i < kSamples; ++i) {
                const Tensor picture = m_data->load(i);
                const auto size = static_cast<std::size_t>(picture.elementCount() / 3);
                for (const float value : picture.data<float>().subspan(c * size, size)) {
                    sum += static_cast<double>(value);
                    squares += static_cast<double>(value) * static_cast<double>(value);
                    count += 1.0;
                }
            }
            QVERIFY(std::abs(check->mean[c] - sum / count) < 1e-3);
            const double deviation = std::sqrt(squares / count - sum / count * sum / count);
            QVERIFY(std::abs(check->standardDeviation[c] - deviation) < 1e-3);
        }
    }

private:
    static constexpr std::int64_t kSamples = 12;
    std::shared_ptr<const Model> m_model;
    std::shared_ptr<const DataSource> m_data;
    std::shared_ptr<const Calibration> m_calibration;
};

QTEST_GUILESS_MAIN(TestCalibrationMicroscope)
#include "tst_calibration_microscope.moc"
