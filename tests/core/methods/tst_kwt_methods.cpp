#include "core/graph/site.h"
#include "core/io/data_source.h"
#include "core/methods/repq_vit.h"
#include "core/methods/repquant_fast.h"
#include "core/models/model.h"
#include "tests/core/methods/logits_reference.h"

#include <QTest>

#include <filesystem>

using namespace qs;

namespace {

const std::filesystem::path kFolder = std::filesystem::path(QS_SHARED_DATA) / "models" / "kwt1";
constexpr std::int64_t kCalibrationClips = 8;

} // namespace

/// The methods on KWT-1: sound, one sample at a time, signal processing inside the graph.
class TestKwtMethods : public QObject
{
    Q_OBJECT

    std::shared_ptr<const Model> m_model;
    std::shared_ptr<const DataSource> m_clips;
    MethodInput m_input;

    void check(const MethodResult& result)
    {
        for (const Site& site : m_model->sites) {
            const bool isFloat = site.role == Role::FrontEnd;
            QVERIFY2(result.quantizers.contains(site.name) != isFloat, site.name.c_str());
        }
        const Metrics metrics = test::metricsOf(test::logitsOf(result.model, result.quantizers, *m_clips),
            test::logitsOf(m_model, {}, *m_clips), *m_clips);
        qInfo("%.2f %% of the labels as in floating point", metrics.agreementPercent);
        // Quantized spectra leave 24 of the 88.
        QVERIFY(metrics.agreementPercent >= 100.0 * 84 / 88);
    }

private slots:
    void initTestCase()
    {
        m_model = loadModel(kFolder / "model.onnx");
        m_clips = openData(kFolder / "clips", *m_model);
        m_input = methodInput(m_model, *m_clips, kCalibrationClips);
    }
    void repqVitKeepsTheLabels()
    {
        MethodOptions options;
        options.weightBits = 8;
        options.activationBits = 8;
        check(quantizeRepqVit(m_input, options, {}));
    }
    void repquantFastKeepsTheLabels()
    {
        MethodOptions options;
        options.weightBits = 8;
        options.activationBits = 8;
        check(quantizeRepquantFast(m_input, options));
    }
};

QTEST_APPLESS_MAIN(TestKwtMethods)
#include "tst_kwt_methods.moc"
