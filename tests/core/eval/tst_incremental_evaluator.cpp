#include "core/base/error.h"
#include "core/eval/evaluate.h"
#include "core/eval/incremental_evaluator.h"
#include "core/eval/plan_applier.h"

#include <QTest>

#include <cmath>

using namespace qs;

namespace {

const std::string kModel = std::string(QS_TEST_DATA) + "/tiny_vit_timm";

Tensor probe(const Model& model, std::int64_t count)
{
    std::vector<std::int64_t> dims = model.graph->value(model.graph->inputs().front()).dims;
    dims.front() = count;
    Tensor samples(DType::F32, Shape(dims));
    std::uint32_t state = 5;
    for (float& value : samples.mutableData<float>()) {
        state = state * 1664525U + 1013904223U;
        value = static_cast<float>(state >> 8U) / 8388608.0F - 1.0F;
    }
    return samples;
}

/// A 4-bit quantizer with the given bounds for every site: what it is does not matter here, that it differs does.
ResolvedPlan planOf(const Model& model, double bound)
{
    ResolvedPlan plan;
    for (const Site& site : model.sites) {
        QuantParams params;
        params.bits = 4;
        params.axis = site.groupAxis;
        appendScale(params, {-bound, bound});
        plan[site.name] = params;
    }
    return plan;
}

Metrics wholeRun(const std::shared_ptr<const Model>& model, const ResolvedPlan& plan, const Tensor& samples)
{
    const ValueId output = model->graph->outputs().front();
    const Feed feed {model->graph->inputs().front(), samples};
    Executor executor(model);
    const Tensor reference = executor.run({&feed, 1}, {&output, 1}).front();
    PlanApplier(executor).apply(plan);
    return computeMetrics(executor.run({&feed, 1}, {&output, 1}).front(), reference, {});
}

bool same(const Metrics& a, const Metrics& b)
{
    return a.logitsSqnrDb == b.logitsSqnrDb && a.klNats == b.klNats && a.agreementPercent == b.agreementPercent;
}

} // namespace

class TestIncrementalEvaluator : public QObject
{
    Q_OBJECT
private slots:
    void reusingThePrefixGivesTheBitsOfAWholeRun()
    {
        const auto model = loadModel(kModel);
        const Tensor samples = probe(*model, 3);
        IncrementalEvaluator evaluator(model, samples);
        ResolvedPlan plan = planOf(*model, 2.0);
        const int count = static_cast<int>(model->sites.size());
        // Forth and back through the network: what is cached is sometimes in front of the edit, sometimes behind.
        for (const int site : {count - 1, 0, count / 2, count / 2, 3, count - 2, 1}) {
            QuantParams& params = plan[model->sites[static_cast<std::size_t>(site)].name];
            const float scale = params.scales.front();
            params.scales.front() = scale * 1.25F;
            const Metrics expected = wholeRun(model, plan, samples);
            QVERIFY2(same(evaluator.modelError(plan, site), expected), model->sites[std::size_t(site)].name.c_str());
        }
    }
    void aCancelledEvaluationLeavesNothingWrongBehind()
    {
        const auto model = loadModel(kModel);
        const Tensor samples = probe(*model, 2);
        IncrementalEvaluator evaluator(model, samples);
        const int last = static_cast<int>(model->sites.size()) - 1;
        (void)evaluator.modelError(planOf(*model, 2.0), last);
        std::stop_source source;
        source.request_stop();
        const ResolvedPlan plan = planOf(*model, 1.0);
        try {
            (void)evaluator.modelError(plan, last, {source.get_token(), {}});
            QFAIL("was not cancelled");
        } catch (const Error& error) {
            QCOMPARE(error.code(), ErrorCode::Cancelled);
        }
        QVERIFY(same(evaluator.modelError(plan, last), wholeRun(model, plan, samples)));
    }
    void layerErrorIsThatOfTheLayerAlone()
    {
        const auto model = loadModel(kModel);
        const Tensor samples = probe(*model, 2);
        IncrementalEvaluator evaluator(model, samples);
        for (int i = 0; i < static_cast<int>(model->sites.size()); ++i) {
            const Site& site = model->sites[static_cast<std::size_t>(i)];
            const QuantParams params = planOf(*model, 1.5).at(site.name);
            const LayerError error = evaluator.layerError(i, params);
            // Reference: the whole network with this one site quantized; up to its layer nothing else differs.
            const ValueId output = model->graph->node(*model->graph->findNode(site.layer)).outputs.front();
            const Feed feed {model->graph->inputs().front(), samples};
            Executor executor(model);
            const Tensor expected = executor.run({&feed, 1}, {&output, 1}).front();
            PlanApplier(executor).apply({{site.name, params}});
            const Tensor actual = executor.run({&feed, 1}, {&output, 1}).front();
            QCOMPARE(error.layer, site.layer);
            QCOMPARE(error.samples, std::int64_t {2});
            QVERIFY2(std::abs(error.sqnrDb - sqnrDb(expected.data<float>(), actual.data<float>())) < 1e-9,
                site.name.c_str());
        }
    }
    void withoutQuantizersThereIsNoError()
    {
        const auto model = loadModel(kModel);
        IncrementalEvaluator evaluator(model, probe(*model, 2));
        const Metrics metrics = evaluator.modelError({}, -1);
        QVERIFY(std::isinf(metrics.logitsSqnrDb));
        QCOMPARE(metrics.agreementPercent, 100.0);
    }
};

QTEST_GUILESS_MAIN(TestIncrementalEvaluator)
#include "tst_incremental_evaluator.moc"
