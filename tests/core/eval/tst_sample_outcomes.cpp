#include "core/base/error.h"
#include "core/eval/plan_figures.h"
#include "core/eval/sample_outcomes.h"
#include "core/models/model.h"

#include <QTest>

#include <cmath>

using namespace qs;

class TestSampleOutcomes : public QObject
{
    Q_OBJECT
private slots:
    void aSampleHasTwoPredictionsAndTheirProbabilities()
    {
        // softmax of (0, ln 3) is (1/4, 3/4); of (ln 4, 0) it is (4/5, 1/5).
        const float ln3 = std::log(3.0F);
        const float ln4 = std::log(4.0F);
        const Tensor reference = Tensor::of<float>(Shape {2, 2}, {0.0F, ln3, 0.0F, ln3});
        const Tensor quantized = Tensor::of<float>(Shape {2, 2}, {ln4, 0.0F, 0.0F, ln3});
        const auto outcomes = sampleOutcomes(quantized, reference, 10);
        QCOMPARE(outcomes.size(), std::size_t {2});
        QCOMPARE(outcomes[0].sample, std::int64_t {10});
        QCOMPARE(outcomes[0].changedRows, std::int64_t {1});
        QCOMPARE(outcomes[0].referenceClass, 1);
        QCOMPARE(outcomes[0].quantizedClass, 0);
        QVERIFY(std::abs(outcomes[0].referenceProbability - 0.75F) < 1e-6F);
        QVERIFY(std::abs(outcomes[0].quantizedProbability - 0.8F) < 1e-6F);
        QCOMPARE(outcomes[1].sample, std::int64_t {11});
        QCOMPARE(outcomes[1].changedRows, std::int64_t {0});
    }
    void ofManyRowsTheFirstChangedOneIsShown()
    {
        const Tensor reference = Tensor::of<float>(Shape {1, 3, 2}, {1.0F, 0.0F, 1.0F, 0.0F, 0.0F, 1.0F});
        const Tensor quantized = Tensor::of<float>(Shape {1, 3, 2}, {1.0F, 0.0F, 0.0F, 1.0F, 1.0F, 0.0F});
        const auto outcomes = sampleOutcomes(quantized, reference, 0);
        QCOMPARE(outcomes.front().rows, std::int64_t {3});
        QCOMPARE(outcomes.front().changedRows, std::int64_t {2});
        QCOMPARE(outcomes.front().row, std::int64_t {1});
        QCOMPARE(outcomes.front().quantizedClass, 1);
        QVERIFY_EXCEPTION_THROWN((void)sampleOutcomes(quantized, quantized.reshaped(Shape {3, 2}), 0), Error);
    }
    void flipsAreToldBetweenAnyTwoPlansAndFp32()
    {
        const auto outcome = [](std::int64_t sample, int fp32, int quantized) {
            SampleOutcome made;
            made.sample = sample;
            made.referenceClass = fp32;
            made.quantizedClass = quantized;
            made.changedRows = fp32 == quantized ? 0 : 1;
            return made;
        };
        const std::vector<SampleOutcome> a {outcome(0, 1, 1), outcome(1, 2, 5), outcome(2, 3, 4)};
        const std::vector<SampleOutcome> b {outcome(0, 1, 7), outcome(1, 2, 5), outcome(2, 3, 3)};
        const auto toB = flipsBetween({}, b);
        QCOMPARE(toB.size(), std::size_t {2}); // samples 0 and 1
        QCOMPARE(toB[0].before, 1);
        QCOMPARE(toB[0].after, 7);
        const auto between = flipsBetween(a, b);
        QCOMPARE(between.size(), std::size_t {2});
        QCOMPARE(between[0].sample, std::int64_t {0});
        QCOMPARE(between[1].sample, std::int64_t {2});
        QCOMPARE(between[1].before, 4);
        QCOMPARE(between[1].after, 3);
        QCOMPARE(flipsBetween(a, {})[0].after, 2); // back to FP32
        QVERIFY(flipsBetween({}, {}).empty());
    }
    void aPlanIsWeighed()
    {
        const auto model = loadModel(QS_TEST_DATA "/tiny_vit_timm");
        const PlanFigures fp32 = planFigures(*model, {});
        QCOMPARE(fp32.weightBits, 32.0);
        QCOMPARE(fp32.bytes, 4 * model->graph->parameterCount());

        // By hand: every element of one weight costs 4 bits instead of 32, every row a scale and a zero
        // point.
        const auto weight = std::ranges::find_if(model->sites,
            [](const Site& site) { return site.kind == SiteKind::Weight && site.role == Role::PostNormFc1; });
        const std::int64_t elements = model->graph->value(weight->value).constant.elementCount();
        SiteChoice choice;
        choice.enabled = true;
        choice.bits = 4;
        choice.granularity = Granularity::Group;
        const PlanFigures figures = planFigures(*model, Plan {{{weight->name, choice}}});
        QCOMPARE(figures.bytes, fp32.bytes - elements * 28 / 8 + weight->groups * 8);
        QVERIFY(figures.weightBits < 32.0);
        QCOMPARE(figures.activationBits, 32.0);
    }
};

QTEST_GUILESS_MAIN(TestSampleOutcomes)
#include "tst_sample_outcomes.moc"
