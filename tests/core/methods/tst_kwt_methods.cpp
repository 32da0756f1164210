#include "core/eval/plan_applier.h"
#include "core/graph/site.h"
#include "core/io/data_source.h"
#include "core/methods/repq_vit.h"
#include "core/methods/repquant_fast.h"
#include "core/models/model.h"

#include <QTest>

#include <algorithm>
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

    [[nodiscard]] std::vector<std::ptrdiff_t> labelsOf(
        const std::shared_ptr<const Model>& model, const ResolvedPlan& quantizers) const
    {
        Executor executor(model);
        PlanApplier(executor).apply(quantizers);
        const ValueId output = model->graph->outputs().front();
        std::vector<std::ptrdiff_t> labels;
        for (std::int64_t i = 0; i < m_clips->size(); ++i) {
            const Feed feed {model->graph->inputs().front(), loadBatch(*m_clips, i, 1)};
            const Tensor logits = executor.run({&feed, 1}, {&output, 1}).front();
            const auto values = logits.data<float>();
            labels.push_back(std::max_element(values.begin(), values.end()) - values.begin());
        }
        return labels;
    }
    void check(const MethodResult& result)
    {
        for (const Site& site : m_model->sites) {
            const bool isFloat = site.role == Role::FrontEnd;
            QVERIFY2(result.quantizers.contains(site.name) != isFloat, site.name.c_str());
        }
        const auto reference = labelsOf(m_model, {});
        const auto labels = labelsOf(result.model, result.quantizers);
        std::ptrdiff_t agreeing = 0;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            agreeing += labels[i] == reference[i] ? 1 : 0;
        }
        qInfo("%td of %zu labels as in floating point", agreeing, labels.size());
        // Quantized spectra leave 24 of the 88.
        QVERIFY(agreeing >= 84);
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
