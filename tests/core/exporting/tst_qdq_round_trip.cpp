#include "core/eval/plan_applier.h"
#include "core/exporting/exporter.h"
#include "core/exporting/run_model.h"
#include "core/io/npy_file.h"
#include "core/quant/resolve.h"
#include "tests/core/exporting/range_calibration.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>

using namespace qs;
using namespace qs::test;

/// An exported QDQ file opens with the quantizers it was written with.
class TestQdqRoundTrip : public QObject
{
    Q_OBJECT

    QTemporaryDir m_folder;

private slots:
    void theFileOpensWithItsQuantizers_data()
    {
        QTest::addColumn<QString>("folder");
        QTest::addColumn<int>("symmetry");
        QTest::addColumn<int>("bits");
        QTest::addColumn<int>("softmax");
        const auto row = [](const char* name, const char* folder, Symmetry symmetry, int bits,
                             QuantizerKind softmax) {
            QTest::newRow(name) << folder << static_cast<int>(symmetry) << bits << static_cast<int>(softmax);
        };
        row("symmetric int8", "tiny_vit_timm", Symmetry::Symmetric, 8, QuantizerKind::Uniform);
        row("asymmetric int8", "tiny_vit_timm", Symmetry::Asymmetric, 8, QuantizerKind::Uniform);
        row("log sqrt 2 softmax", "tiny_vit_timm", Symmetry::Asymmetric, 8, QuantizerKind::LogSqrt2);
        row("log 2 softmax", "tiny_vit_hf", Symmetry::Asymmetric, 8, QuantizerKind::Log2);
        row("6 bits", "tiny_vit_timm", Symmetry::Asymmetric, 6, QuantizerKind::Uniform);
        row("symmetric 4 bits", "tiny_vit_timm", Symmetry::Symmetric, 4, QuantizerKind::LogSqrt2);
    }
    void theFileOpensWithItsQuantizers()
    {
        QFETCH(QString, folder);
        QFETCH(int, symmetry);
        QFETCH(int, bits);
        QFETCH(int, softmax);
        const std::filesystem::path path = std::filesystem::path(QS_TEST_DATA) / folder.toStdString();
        const Tensor samples = blends(readNpy(path / "pixels.npy").toF32(), 8);
        ExportInput input;
        input.model = loadModel(path);
        const Scheme scheme {static_cast<Symmetry>(symmetry), bits, static_cast<QuantizerKind>(softmax), {}};
        input.quantizers = minMaxQuantizers(input.model, samples, scheme);
        const std::filesystem::path file = m_folder.filePath(QStringLiteral("model.onnx")).toStdString();
        const Exporter& exporter = exporterNamed("onnx-qdq");
        exporter.write(input, file, {});

        const auto opened = loadModel(file);
        QVERIFY(opened->startingPlan != nullptr);
        const ResolvedPlan resolved = resolvePlan(*opened, *opened->startingPlan, {});
        QCOMPARE(resolved.size(), input.quantizers.size());
        for (const auto& [site, params] : input.quantizers) {
            const auto found = resolved.find(site);
            QVERIFY2(found != resolved.end(), site.c_str());
            const QuantParams& actual = found->second;
            QVERIFY2(actual.scales == params.scales, site.c_str());
            QVERIFY2(actual.kind == params.kind && actual.bits == params.bits, site.c_str());
            // Written without a clip to -127, so that the file's quantizer has the code -128 too.
            const bool hasLowestCode = !site.ends_with(".weight") && params.bits == 8
                && params.kind == QuantizerKind::Uniform && params.symmetry == Symmetry::Symmetric;
            if (hasLowestCode) {
                QVERIFY2(actual.symmetry == Symmetry::Asymmetric, site.c_str());
                QVERIFY2(std::ranges::all_of(actual.zeroPoints, [](std::int32_t z) { return z == 128; }),
                    site.c_str());
                continue;
            }
            QVERIFY2(actual.zeroPoints == params.zeroPoints, site.c_str());
            QVERIFY2(actual.granularity == params.granularity, site.c_str());
            QVERIFY2(
                actual.kind != QuantizerKind::Uniform || actual.symmetry == params.symmetry, site.c_str());
        }
        Executor executor(opened);
        PlanApplier(executor).apply(resolved);
        const Tensor simulated = runModel(executor, samples, {});
        const Tensor written = exporter.runFile(file, samples, {});
        QCOMPARE(simulated.shape(), written.shape());
        double largest = 0.0;
        double difference = 0.0;
        for (std::size_t i = 0; i < written.data<float>().size(); ++i) {
            const auto expected = static_cast<double>(written.data<float>()[i]);
            largest = std::max(largest, std::abs(expected));
            difference
                = std::max(difference, std::abs(static_cast<double>(simulated.data<float>()[i]) - expected));
        }
        qInfo("%zu quantizers, outputs differ by %.1e of the largest", resolved.size(), difference / largest);
        QVERIFY(difference <= 1e-4 * largest);
    }
};

QTEST_GUILESS_MAIN(TestQdqRoundTrip)
#include "tst_qdq_round_trip.moc"
