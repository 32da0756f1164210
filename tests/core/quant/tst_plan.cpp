#include "core/quant/plan.h"

#include <QTest>

using namespace qs;

namespace {

Site site(const char* name, SiteKind kind, Role role)
{
    Site result;
    result.name = name;
    result.kind = kind;
    result.role = role;
    return result;
}

} // namespace

class TestPlan : public QObject
{
    Q_OBJECT

private slots:
    void codesOfEveryWidth()
    {
        QuantParams params;
        params.bits = 4;
        QCOMPARE(params.minimumCode(), 0);
        QCOMPARE(params.maximumCode(), 15);
        params.symmetry = Symmetry::Symmetric;
        QCOMPARE(params.minimumCode(), -7);
        QCOMPARE(params.maximumCode(), 7);
        params.bits = 2;
        QCOMPARE(params.maximumCode(), 1);
        params.bits = 16;
        QCOMPARE(params.minimumCode(), -32767);
        params.kind = QuantizerKind::Log2; // has no sign whatever the symmetry says
        QCOMPARE(params.minimumCode(), 0);
        QCOMPARE(params.maximumCode(), 65535);
    }
    void presetChoosesByRole()
    {
        const std::vector<Site> sites {
            site("patch.input", SiteKind::Activation, Role::PatchEmbedding),
            site("patch.weight", SiteKind::Weight, Role::PatchEmbedding),
            site("qkv.input", SiteKind::Activation, Role::PostNormQkv),
            site("qkv.weight", SiteKind::Weight, Role::PostNormQkv),
            site("softmax", SiteKind::Activation, Role::Softmax),
            site("fc1.input", SiteKind::Activation, Role::PostNormFc1),
            site("fc2.input", SiteKind::Activation, Role::PostGeluFc2),
        };
        PresetOptions options;
        options.weightBits = 4;
        options.activationBits = 6;
        options.method = BoundMethod::Percentile;
        options.normGranularity = Granularity::Group;
        options.softmaxKind = QuantizerKind::LogSqrt2;
        options.weightSymmetry = Symmetry::Symmetric;
        const Plan plan = makePreset(sites, options);
        QCOMPARE(plan.choices.size(), sites.size());
        for (const auto& [name, choice] : plan.choices) {
            QVERIFY(choice.enabled);
            QVERIFY(choice.method == BoundMethod::Percentile);
        }
        QCOMPARE(plan.find("patch.input")->bits, 8);
        QCOMPARE(plan.find("patch.weight")->bits, 4);
        QVERIFY(plan.find("patch.weight")->granularity == Granularity::Group);
        QVERIFY(plan.find("patch.weight")->symmetry == Symmetry::Symmetric);
        QCOMPARE(plan.find("qkv.input")->bits, 6);
        QVERIFY(plan.find("qkv.input")->granularity == Granularity::Group);
        QVERIFY(plan.find("qkv.input")->symmetry == Symmetry::Asymmetric);
        QVERIFY(plan.find("fc1.input")->granularity == Granularity::Group);
        QVERIFY(plan.find("fc2.input")->granularity == Granularity::Tensor);
        QVERIFY(plan.find("softmax")->kind == QuantizerKind::LogSqrt2);
        QVERIFY(plan.find("qkv.weight")->kind == QuantizerKind::Uniform);
        QVERIFY(plan.find("nothing") == nullptr);
    }
    void presetLeavesTheSignalFrontEndInFloat()
    {
        const Plan plan = makePreset({site("mel.input", SiteKind::Activation, Role::FrontEnd),
                                         site("mel.weight", SiteKind::Weight, Role::FrontEnd),
                                         site("embed.input", SiteKind::Activation, Role::Other)},
            {});
        QCOMPARE(plan.choices.size(), std::size_t {3});
        QVERIFY(!plan.find("mel.input")->enabled);
        QVERIFY(!plan.find("mel.weight")->enabled);
        QVERIFY(plan.find("embed.input")->enabled);
    }
    void manualIsNoMethodOfAPreset()
    {
        PresetOptions options;
        options.method = BoundMethod::Manual;
        const Plan plan = makePreset({site("a", SiteKind::Activation, Role::Other)}, options);
        QVERIFY(plan.find("a")->method == BoundMethod::MinMax);
    }
};

QTEST_GUILESS_MAIN(TestPlan)
#include "tst_plan.moc"
