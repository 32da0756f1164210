#include "core/base/error.h"
#include "core/eval/calibrate.h"
#include "core/eval/evaluate.h"
#include "core/eval/incremental_evaluator.h"
#include "core/eval/metrics_accumulator.h"
#include "core/eval/model_feeds.h"
#include "core/eval/plan_applier.h"
#include "core/eval/sensitivity.h"
#include "core/graph/cut_values.h"

#include <QTest>

#include <cmath>

#include "small_decoder.h"

using namespace qs;
using namespace qs::testing;

namespace {

Plan fourBits(const Model& model)
{
    Plan plan;
    for (const Site& site : model.sites) {
        plan.choices[site.name] = defaultFallback();
    }
    return plan;
}

bool same(const Metrics& a, const Metrics& b)
{
    return a.samples == b.samples && a.tokens == b.tokens && a.nllNats == b.nllNats && a.klNats == b.klNats
        && a.logitsSqnrDb == b.logitsSqnrDb && a.agreementPercent == b.agreementPercent
        && a.top1Percent == b.top1Percent;
}

/// Up to the last bits of products of other batch sizes.
bool alike(const Metrics& a, const Metrics& b)
{
    return a.samples == b.samples && a.tokens == b.tokens && std::abs(*a.nllNats - *b.nllNats) < 1e-4
        && std::abs(a.klNats - b.klNats) < 1e-4
        && (a.logitsSqnrDb == b.logitsSqnrDb || std::abs(a.logitsSqnrDb - b.logitsSqnrDb) < 0.01);
}

/// Mean of -ln p(next token), from the logits alone.
double plainNll(const std::shared_ptr<const Model>& model, const ResolvedPlan& plan, const DataSource& data)
{
    Executor executor(model);
    PlanApplier(executor).apply(plan);
    const ValueId output = model->graph->outputs().front();
    double sum = 0.0;
    std::int64_t count = 0;
    for (std::int64_t sample = 0; sample < data.size(); ++sample) {
        const Tensor ids = loadBatch(data, sample, 1);
        const Tensor logits = executor.run(feedsOf(*model->graph, ids), {&output, 1}).front();
        const auto values = logits.data<float>();
        for (std::size_t t = 0; t + 1 < 6; ++t) {
            double total = 0.0;
            for (std::size_t v = 0; v < kVocabulary; ++v) {
                total += std::exp(static_cast<double>(values[t * kVocabulary + v]));
            }
            const auto next = static_cast<std::size_t>(ids.data<std::int64_t>()[t + 1]);
            sum -= std::log(std::exp(static_cast<double>(values[t * kVocabulary + next])) / total);
            ++count;
        }
    }
    return sum / static_cast<double>(count);
}

} // namespace

class TestLanguageModels : public QObject
{
    Q_OBJECT
private slots:
    void theTaskIsSeenFromInputsAndOutputs()
    {
        const auto model = smallDecoder();
        QCOMPARE(model->task, ModelTask::LanguageModel);
        QCOMPARE(vocabularyOf(*model->graph), std::optional<std::int64_t>(kVocabulary));
        const auto taskFor = [](DType type, std::vector<std::int64_t> in, std::vector<std::int64_t> out,
                                 const char* second = nullptr) {
            GraphBuilder builder;
            const ValueId input = builder.addInput("x", type, std::move(in));
            if (second != nullptr) {
                builder.addInput(second, DType::I64, {-1, -1});
            }
            const ValueId output = builder.addNode("Identity", "y", {input});
            builder.setDims(output, std::move(out));
            builder.addOutput(output);
            return taskOf(*builder.build());
        };
        QCOMPARE(taskFor(DType::I64, {-1, -1}, {-1, -1, 20}), ModelTask::LanguageModel);
        QCOMPARE(taskFor(DType::I64, {-1, -1}, {-1, -1, 20}, "token_type_ids"), ModelTask::Features);
        QCOMPARE(taskFor(DType::I64, {-1, -1}, {-1, 20}), ModelTask::Classification);
        QCOMPARE(taskFor(DType::F32, {-1, 3, 8, 8}, {-1, 20}), ModelTask::Classification);
        QCOMPARE(taskFor(DType::F32, {-1, 3, 8}, {-1, 5, 20}), ModelTask::Features);
    }
    void furtherInputsFollowFromTheFirst()
    {
        GraphBuilder builder;
        const ValueId ids = builder.addInput("ids", DType::I64, {-1, -1});
        builder.addInput("attention_mask", DType::F32, {-1, -1});
        builder.addInput("token_type_ids", DType::I64, {-1, -1});
        builder.addInput("position_ids", DType::I32, {-1, -1});
        builder.addOutput(builder.addNode("Identity", "y", {ids}));
        const auto graph = builder.build();
        const auto feeds = feedsOf(*graph, Tensor::of<std::int64_t>(Shape {2, 3}, {5, 6, 7, 8, 9, 1}));
        QCOMPARE(feeds.size(), std::size_t {4});
        for (std::size_t i = 0; i < 6; ++i) {
            QCOMPARE(feeds[1].tensor.data<float>()[i], 1.0F);
            QCOMPARE(feeds[2].tensor.data<std::int64_t>()[i], std::int64_t {0});
            QCOMPARE(feeds[3].tensor.data<std::int32_t>()[i], static_cast<std::int32_t>(i % 3));
        }
        GraphBuilder other;
        other.addOutput(other.addNode("Identity", "y", {other.addInput("ids", DType::I64, {-1, -1})}));
        other.addInput("pixel_values", DType::F32, {-1, 3});
        QVERIFY_EXCEPTION_THROWN(
            (void)feedsOf(*other.build(), Tensor::of<std::int64_t>(Shape {1, 1}, {5})), Error);
    }
    void masksAndPositionsGoRoundTheCuts()
    {
        const auto model = smallDecoder();
        QStringList names;
        for (const CutValue& cut : cutValues(*model->graph)) {
            names << QString::fromStdString(model->graph->value(cut.value).name);
        }
        QCOMPARE(names.join(QLatin1Char(' ')),
            QStringLiteral("input_ids embed embed.add blocks.0.residual blocks.1.residual"));
    }
    void everyWayOfMeasuringGivesTheSameFigures()
    {
        const TokenData data(11);
        for (const std::int64_t fixed : {-1, 1}) {
            const auto model = smallDecoder(fixed);
            const auto calibration = calibrate(model, data, 0);
            QCOMPARE(calibration->sampleCount, data.size());
            const ResolvedPlan plan = resolvePlan(*model, fourBits(*model), *calibration);
            Executor executor(model);
            const Fp32Reference kept = computeReference(executor, data, 0);
            QCOMPARE(kept.metrics.samples, data.size());
            QCOMPARE(kept.metrics.tokens, std::int64_t {55});
            QVERIFY(std::abs(*kept.metrics.nllNats - plainNll(model, {}, data)) < 1e-6);
            const Evaluation evaluation = evaluatePlan(model, plan, data, kept);
            QVERIFY(std::abs(*evaluation.metrics.nllNats - plainNll(model, plan, data)) < 1e-6);
            QVERIFY(evaluation.metrics.logitsSqnrDb > 0.0 && evaluation.metrics.logitsSqnrDb < 60.0);
            QVERIFY(evaluation.layerSqnrDb.contains("blocks.1.fc2"));
            // Outputs that do not fit are computed again.
            const Fp32Reference none = computeReference(executor, data, 0, {}, 8, 0);
            QVERIFY(none.outputs.empty() && same(none.metrics, kept.metrics));
            QVERIFY(same(evaluatePlan(model, plan, data, none).metrics, evaluation.metrics));
            const Fp32Reference some = computeReference(executor, data, 0, {}, 3, 2000);
            QVERIFY(some.outputs.size() > 1 && some.outputs.size() < 7 && alike(some.metrics, kept.metrics));
            QVERIFY(alike(evaluatePlan(model, plan, data, some).metrics, evaluation.metrics));
            IncrementalEvaluator live(model, loadBatch(data, 0, data.size()));
            for (const int site : {4, 0, 5, 2}) {
                QVERIFY(alike(live.modelError(plan, site), evaluation.metrics));
            }
            const auto sensitivity
                = measureSensitivity(model, fourBits(*model), *calibration, data, {.samples = 0});
            QCOMPARE(sensitivity.size(), model->sites.size());
            for (const SiteSensitivity& site : sensitivity) {
                const Metrics alone
                    = evaluatePlan(model, {{site.site, plan.at(site.site)}}, data, kept).metrics;
                QVERIFY(site.nllNats == alone.nllNats && site.logitsSqnrDb == alone.logitsSqnrDb);
            }
        }
    }
    void aFixedBatchGetsWholeBatches()
    {
        const auto model = smallDecoder(4);
        QCOMPARE(sampleCountOf(*model->graph, TokenData(11), 0), std::int64_t {8});
        QCOMPARE(calibrate(model, TokenData(11), 6)->sampleCount, std::int64_t {4});
        QVERIFY_EXCEPTION_THROWN((void)calibrate(model, TokenData(3), 0), Error);
    }
};

QTEST_GUILESS_MAIN(TestLanguageModels)
#include "tst_language_models.moc"
