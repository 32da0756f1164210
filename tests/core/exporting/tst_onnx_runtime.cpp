#include "core/eval/calibrate.h"
#include "core/eval/float_fallback.h"
#include "core/eval/metrics.h"
#include "core/eval/plan_applier.h"
#include "core/exporting/exporter.h"
#include "core/exporting/run_model.h"
#include "core/io/caching_source.h"
#include "core/io/npy_file.h"
#include "tests/core/exporting/range_calibration.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <cmath>

using namespace qs;
using namespace qs::test;

namespace {

constexpr std::int64_t kSamples = 32;

} // namespace

/// Exported files in ONNX Runtime itself, against the simulation that the screen shows.
class TestOnnxRuntime : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;

    [[nodiscard]] std::filesystem::path at(const char* name) const
    {
        return std::filesystem::path(m_folder.path().toStdString()) / name;
    }
    /// ONNX Runtime's first output for the samples; an empty tensor when it failed (its words are printed).
    [[nodiscard]] Tensor runInOnnxRuntime(const std::filesystem::path& model, const Tensor& samples) const
    {
        writeNpy(at("input.npy"), samples);
        QProcess node;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("QS_NODE_MODULES"), QStringLiteral(QS_NODE_MODULES));
        node.setProcessEnvironment(environment);
        node.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        node.start(QStringLiteral(QS_NODE),
            {QStringLiteral(QS_RUN_ONNX), QString::fromStdString(model.string()),
                QString::fromStdString(at("input.npy").string()),
                QString::fromStdString(at("output.npy").string())});
        if (!node.waitForFinished(240'000) || node.exitCode() != 0) {
            return {};
        }
        return readNpy(at("output.npy"));
    }
    static Tensor samplesFor(const QString& folder, const std::filesystem::path& path)
    {
        const auto file = folder.startsWith(QStringLiteral("tiny"))
            ? path / "pixels.npy"
            : path / "expected/calib_first2_pixels.npy";
        return blends(readNpy(file).toF32(), kSamples);
    }

private slots:
    void computesWhatTheSimulationComputes_data()
    {
        QTest::addColumn<QString>("folder");
        QTest::addColumn<int>("symmetry");
        QTest::addColumn<int>("bits");
        QTest::addColumn<int>("softmax");
        QTest::addColumn<bool>("qkvOnly");
        QTest::addColumn<double>("leastDb");
        const auto row = [](const char* name, const char* folder, Symmetry symmetry, int bits,
                             QuantizerKind softmax, bool qkvOnly, double leastDb) {
            QTest::newRow(name) << folder << static_cast<int>(symmetry) << bits << static_cast<int>(softmax)
                                << qkvOnly << leastDb;
        };
        const char* tiny = "tiny_vit_timm";
        row("tiny, symmetric int8", tiny, Symmetry::Symmetric, 8, QuantizerKind::Uniform, false, 60.0);
        row("tiny, asymmetric int8", tiny, Symmetry::Asymmetric, 8, QuantizerKind::Uniform, false, 60.0);
        row("tiny, log sqrt 2 softmax", tiny, Symmetry::Asymmetric, 8, QuantizerKind::LogSqrt2, false, 60.0);
        row("tiny, log 2 softmax", "tiny_vit_hf", Symmetry::Asymmetric, 8, QuantizerKind::Log2, false, 60.0);
        row("tiny, 6 bits", tiny, Symmetry::Asymmetric, 6, QuantizerKind::Uniform, false, 60.0);
        row("tiny, 4 bits", tiny, Symmetry::Asymmetric, 4, QuantizerKind::LogSqrt2, false, 60.0);
        if (std::string(QS_SHARED_DATA).empty()) {
            return;
        }
        // Twelve blocks deep, last-bit differences of float kernels flip codes, and flipped codes flip
        // others: two right programs then differ by a share of the quantization error itself (17.7 dB for
        // min-max W8A8 here). One quantizer alone, or a plan with few in a row, agrees far better.
        const char* deit = "deit_tiny_patch16_224";
        row("DeiT-Tiny, int8 qkv", deit, Symmetry::Asymmetric, 8, QuantizerKind::Uniform, true, 30.0);
        row("DeiT-Tiny, symmetric int8", deit, Symmetry::Symmetric, 8, QuantizerKind::Uniform, false, 15.0);
        row("DeiT-Tiny, asymmetric int8", deit, Symmetry::Asymmetric, 8, QuantizerKind::Uniform, false, 18.0);
    }
    void computesWhatTheSimulationComputes()
    {
        QFETCH(QString, folder);
        QFETCH(int, symmetry);
        QFETCH(int, bits);
        QFETCH(int, softmax);
        QFETCH(bool, qkvOnly);
        QFETCH(double, leastDb);
        const bool isTiny = folder.startsWith(QStringLiteral("tiny"));
        const auto root
            = isTiny ? std::filesystem::path(QS_TEST_DATA) : std::filesystem::path(QS_SHARED_DATA) / "models";
        const auto path = root / folder.toStdString();
        const Tensor samples = samplesFor(folder, path);
        ExportInput input;
        input.model = loadModel(path);
        Scheme scheme {static_cast<Symmetry>(symmetry), bits, static_cast<QuantizerKind>(softmax), {}};
        if (qkvOnly) {
            for (const Site& site : input.model->sites) {
                if (site.role != Role::PostNormQkv) {
                    scheme.inFloat.push_back(site.role);
                }
            }
        }
        input.quantizers = minMaxQuantizers(input.model, samples, scheme);
        input.toolVersion = "test";

        Executor executor(input.model);
        const Tensor original = runModel(executor, samples, {});
        PlanApplier(executor).apply(input.quantizers);
        const Tensor simulated = runModel(executor, samples, {});

        const Exporter& exporter = exporterNamed("onnx-qdq");
        exporter.write(input, at("model.onnx"), {});
        const Tensor actual = runInOnnxRuntime(at("model.onnx"), samples);
        QVERIFY2(actual.valid(), "ONNX Runtime did not run the file");
        QCOMPARE(actual.shape(), simulated.shape());
        const Metrics metrics = computeMetrics(actual, simulated, {});
        const Verification own = verifyExport(exporter, input, at("model.onnx"), samples);
        const double quantization = computeMetrics(simulated, original, {}).logitsSqnrDb;
        qInfo("ONNX Runtime %.1f dB, agreement %.1f %%; own reader %.1f dB, %.1f %%; quantization itself "
              "%.1f dB",
            metrics.logitsSqnrDb, metrics.agreementPercent, own.sqnrDb, own.agreementPercent, quantization);
        QVERIFY(metrics.logitsSqnrDb >= leastDb);
        QVERIFY(metrics.agreementPercent >= 100.0 * 31.0 / 32.0);
        QVERIFY(own.sqnrDb >= leastDb);
        // As far from the float model as the simulation says.
        QVERIFY(std::abs(computeMetrics(actual, original, {}).logitsSqnrDb - quantization) < 1.0);
    }
    /// The whole way on photographs: calibrate, portable int8, the most sensitive activations left in float
    /// so that the plan itself is predicted at 32 dB, export, and the same logits in ONNX Runtime at 30 dB.
    void aRealModelOnRealImagesAgreesAtThirtyDecibels()
    {
        const std::string shared(QS_SHARED_DATA);
        if (shared.empty()) {
            QSKIP("the shared model and images are not there");
        }
        const auto model = loadModel(shared + "/models/deit_tiny_patch16_224");
        const CachingSource data(openData(shared + "/images/calib", *model), std::size_t {1} << 30U);
        const auto calibration = calibrate(model, data, 0);
        PresetOptions options;
        options.symmetry = Symmetry::Symmetric;
        options.weightSymmetry = Symmetry::Symmetric;
        const Plan all = makePreset(model->sites, options);
        SensitivityOptions sensitivity;
        sensitivity.samples = 16;
        const FloatFallback fallback = fallBackToFloat(
            model->sites, all, measureSensitivity(model, all, *calibration, data, sensitivity), 32.0);
        ExportInput input;
        input.model = model;
        input.plan = fallback.plan;
        input.quantizers = resolvePlan(*model, fallback.plan, *calibration);
        input.toolVersion = "test";

        const Tensor samples = loadBatch(data, 0, kSamples);
        Executor executor(model);
        const Tensor original = runModel(executor, samples, {});
        PlanApplier(executor).apply(input.quantizers);
        const Tensor simulated = runModel(executor, samples, {});
        exporterNamed("onnx-qdq").write(input, at("deit-int8.onnx"), {});
        const Tensor actual = runInOnnxRuntime(at("deit-int8.onnx"), samples);
        QVERIFY2(actual.valid(), "ONNX Runtime did not run the file");
        const Metrics metrics = computeMetrics(actual, simulated, {});
        qInfo("%zu of 98 activations in float; ONNX Runtime against the simulation %.1f dB, same top-1 %.1f "
              "%%; the "
              "plan itself %.1f dB",
            fallback.sites.size(), metrics.logitsSqnrDb, metrics.agreementPercent,
            computeMetrics(simulated, original, {}).logitsSqnrDb);
        QVERIFY(metrics.logitsSqnrDb >= 30.0);
        QVERIFY(metrics.agreementPercent >= 100.0 * 31.0 / 32.0);
    }
};

QTEST_GUILESS_MAIN(TestOnnxRuntime)
#include "tst_onnx_runtime.moc"
