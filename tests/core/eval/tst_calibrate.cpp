#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/eval/calibrate.h"
#include "core/io/npy_file.h"
#include "core/runtime/executor.h"

#include <QTest>

#include <cmath>

using namespace qs;

namespace {

const std::string kModel = std::string(QS_TEST_DATA) + "/tiny_vit_timm";

/// Samples from memory; asked for one of them, it can request a stop.
class MemoryData final : public DataSource
{
public:
    explicit MemoryData(Tensor samples)
        : m_samples(std::move(samples))
    {
    }
    [[nodiscard]] std::int64_t size() const override { return m_samples.shape()[0]; }
    [[nodiscard]] std::string sampleName(std::int64_t index) const override
    {
        return "#" + std::to_string(index);
    }
    [[nodiscard]] std::optional<int> label(std::int64_t) const override { return {}; }
    [[nodiscard]] std::filesystem::path samplePath(std::int64_t) const override { return {}; }
    [[nodiscard]] Tensor load(std::int64_t index) const override
    {
        std::vector<std::int64_t> dims = m_samples.shape().dims();
        dims.erase(dims.begin());
        const Shape shape(dims);
        const auto size = static_cast<std::size_t>(shape.elementCount());
        return Tensor::of<float>(
            shape, m_samples.data<float>().subspan(static_cast<std::size_t>(index) * size, size));
    }
    [[nodiscard]] std::string hash() const override { return "memory"; }

private:
    Tensor m_samples;
};

/// pixels.npy of the tiny model several times over, each copy scaled differently.
MemoryData manySamples(std::int64_t copies)
{
    const Tensor pixels = readNpy(kModel + "/pixels.npy").toF32();
    std::vector<std::int64_t> dims = pixels.shape().dims();
    dims[0] *= copies;
    Tensor samples(DType::F32, Shape(dims));
    const auto source = pixels.data<float>();
    const auto target = samples.mutableData<float>();
    for (std::size_t i = 0; i < target.size(); ++i) {
        target[i] = source[i % source.size()] * (1.0F + 0.3F * static_cast<float>(i / source.size()));
    }
    return MemoryData(samples);
}

} // namespace

class TestCalibrate : public QObject
{
    Q_OBJECT
private slots:
    void cleanup() { setThreadCount(2); }

    void everyActivationSiteHasItsValues()
    {
        const auto model = loadModel(kModel);
        const MemoryData data = manySamples(1);
        std::vector<std::int64_t> progress;
        const TaskContext context {{}, [&](const Progress& report) {
                                       QCOMPARE(report.stage, std::string("calibrate"));
                                       QCOMPARE(report.total, data.size());
                                       progress.push_back(report.done);
                                   }};
        const auto calibration = calibrate(model, data, 0, context, 1);
        QCOMPARE(calibration->sampleCount, data.size());
        QCOMPARE(calibration->modelHash, model->hash);
        QCOMPARE(calibration->dataHash, std::string("memory"));
        QVERIFY(std::is_sorted(progress.begin(), progress.end()));
        QCOMPARE(progress.back(), data.size());
        std::size_t activations = 0;
        for (const Site& site : model->sites) {
            const auto statistics = calibration->find(site.name);
            QCOMPARE(statistics != nullptr, site.kind == SiteKind::Activation);
            if (statistics) {
                ++activations;
                QCOMPARE(static_cast<std::int64_t>(statistics->groups.size()), site.groups);
                QVERIFY(statistics->count() > 0);
            }
        }
        QCOMPARE(calibration->sites.size(), activations);
        // The image itself is the first site: its channels can be counted here.
        const Site& first = model->sites.front();
        const auto statistics = calibration->find(first.name);
        const auto pixels = readNpy(kModel + "/pixels.npy").toF32();
        const auto values = pixels.data<float>();
        const std::int64_t plane = pixels.shape()[2] * pixels.shape()[3];
        for (std::int64_t c = 0; c < 3; ++c) {
            double sum = 0.0;
            double squares = 0.0;
            for (std::int64_t n = 0; n < pixels.shape()[0]; ++n) {
                for (std::int64_t i = 0; i < plane; ++i) {
                    const double value = values[static_cast<std::size_t>((n * 3 + c) * plane + i)];
                    sum += value;
                    squares += value * value;
                }
            }
            const GroupStatistics& group = statistics->groups[static_cast<std::size_t>(c)];
            QCOMPARE(static_cast<std::int64_t>(group.count), pixels.shape()[0] * plane);
            QVERIFY(
                std::fabs(group.sum - sum) <= 1e-6 * std::sqrt(squares * static_cast<double>(group.count)));
            QVERIFY(std::fabs(group.sumOfSquares - squares) <= 1e-6 * squares);
        }
    }
    void probabilitiesOfEveryRowAddUpToOne()
    {
        const auto model = loadModel(kModel);
        const auto calibration = calibrate(model, manySamples(1), 0);
        int seen = 0;
        for (const Site& site : model->sites) {
            if (site.kind == SiteKind::Activation && site.role == Role::Softmax) {
                for (const GroupStatistics& head : calibration->find(site.name)->groups) {
                    const double tokens = std::sqrt(static_cast<double>(head.count)
                        / static_cast<double>(calibration->sampleCount)); // rows are as long as there are
                    const double rows = tokens * static_cast<double>(calibration->sampleCount);
                    QVERIFY(std::fabs(head.sum - rows) < 1e-5 * rows);
                    ++seen;
                }
            }
        }
        QVERIFY(seen > 0);
    }
    void batchSizeAndThreadsDoNotChangeABit()
    {
        const auto model = loadModel(kModel);
        const MemoryData data = manySamples(4);
        setThreadCount(1);
        const auto expected = calibrate(model, data, 0, {}, 1);
        for (const int threads : {1, 2, 3}) {
            setThreadCount(threads);
            for (const std::int64_t batch : {1, 3, 8}) {
                const auto actual = calibrate(model, data, 0, {}, batch);
                for (const auto& [name, site] : expected->sites) {
                    QVERIFY2(*actual->find(name) == *site, name.c_str());
                }
            }
        }
    }
    void onlyTheFirstSamplesAreTaken()
    {
        const auto model = loadModel(kModel);
        const MemoryData data = manySamples(2);
        QCOMPARE(calibrate(model, data, 1)->sampleCount, std::int64_t {1});
        QCOMPARE(calibrate(model, data, 1000)->sampleCount, data.size());
    }
    void cancellingStopsIt()
    {
        const auto model = loadModel(kModel);
        std::stop_source source;
        const TaskContext context {source.get_token(), [&](const Progress& report) {
                                       if (report.done >= 1) {
                                           source.request_stop();
                                       }
                                   }};
        try {
            (void)calibrate(model, manySamples(4), 0, context, 1);
            QFAIL("nothing was thrown");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Cancelled);
        }
    }
};

QTEST_GUILESS_MAIN(TestCalibrate)
#include "tst_calibrate.moc"
