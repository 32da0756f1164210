#include "core/graph/recognition.h"
#include "core/quant/scale.h"
#include "core/quant/stored_plan.h"
#include "core/runtime/executor.h"
#include "tests/core/graph/recognition_check.h"

#include <QTest>

#include <random>

using namespace qs;
using namespace qs::test;

namespace {

/// A linear "fc" of 4 to 3 channels as quantization tools write it.
class QdqSketch
{
public:
    GraphBuilder builder;
    ValueId x = builder.addInput("x", DType::F32, {-1, 4});

    template<typename T>
    ValueId constant(const std::string& name, std::vector<T> values, Shape shape)
    {
        return builder.addConstant(name, Tensor::of<T>(std::move(shape), std::span<const T>(values)));
    }
    ValueId pair(const std::string& name, ValueId raw, float scale, std::uint8_t zeroPoint)
    {
        const ValueId s = constant<float>(name + ".s", {scale}, Shape {});
        const ValueId z = constant<std::uint8_t>(name + ".z", {zeroPoint}, Shape {});
        const ValueId codes = builder.addNode("QuantizeLinear", name + ".q", {raw, s, z});
        return builder.addNode("DequantizeLinear", name + ".dq", {codes, s, z});
    }
    /// Codes [4, 3] with one scale per column.
    ValueId weight(std::vector<std::int8_t> codes)
    {
        const ValueId c = constant<std::int8_t>("fc.weight_quantized", std::move(codes), Shape {4, 3});
        const ValueId s = constant<float>("fc.weight_scale", {0.25F, 0.5F, 0.1F}, Shape {3});
        const ValueId z = constant<std::int8_t>("fc.weight_zero_point", {0, 0, 0}, Shape {3});
        return builder.addNode("DequantizeLinear", "fc.weight_dq", {c, s, z}, {{"axis", std::int64_t {1}}});
    }
    ValueId product(ValueId left, ValueId right)
    {
        const ValueId bias = constant<std::int32_t>("fc.bias_quantized", {100, -200, 300}, Shape {3});
        const ValueId scale = constant<float>("fc.bias_scale", {0.01F, 0.02F, 0.005F}, Shape {3});
        const ValueId b
            = builder.addNode("DequantizeLinear", "fc.bias_dq", {bias, scale}, {{"axis", std::int64_t {0}}});
        const ValueId y = builder.addNode("MatMul", "fc.MatMul", {left, right});
        return builder.addNode("Add", "fc.Add", {y, b});
    }
};

std::vector<std::int8_t> codesWithin(int least, int greatest)
{
    return {
        static_cast<std::int8_t>(least), 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, static_cast<std::int8_t>(greatest)};
}

const SiteChoice& choiceOf(const StoredPlan& stored, const char* site)
{
    static const SiteChoice none;
    const SiteChoice* choice = stored.plan.find(site);
    return choice == nullptr ? none : *choice;
}

} // namespace

class TestQuantizerExtraction : public QObject
{
    Q_OBJECT

private slots:
    void aStaticallyQuantizedLinearBecomesAPlan_data()
    {
        QTest::addColumn<int>("least");
        QTest::addColumn<int>("greatest");
        QTest::addColumn<int>("bits");
        QTest::addColumn<bool>("symmetric");
        QTest::newRow("8 bits") << -127 << 100 << 8 << true;
        QTest::newRow("4 bits") << -3 << 7 << 4 << true;
        QTest::newRow("with the code -128") << -128 << 100 << 8 << false;
    }
    void aStaticallyQuantizedLinearBecomesAPlan()
    {
        QFETCH(int, least);
        QFETCH(int, greatest);
        QFETCH(int, bits);
        QFETCH(bool, symmetric);
        QdqSketch sketch;
        const ValueId left = sketch.pair("x", sketch.x, 0.03F, 77);
        sketch.builder.addOutput(sketch.product(left, sketch.weight(codesWithin(least, greatest))));
        const auto before = sketch.builder.build();
        const ExtractedQuantizers opened = recogniseOperators(before);
        QCOMPARE(opsOf(*opened.graph), std::string("Linear:fc "));
        const std::vector<Site> sites = findSites(*opened.graph);
        const StoredPlan stored = planFromStored(*opened.graph, sites, opened.quantizers);
        QVERIFY(stored.leftOut.empty());
        QCOMPARE(stored.plan.choices.size(), std::size_t {2});

        const SiteChoice& input = choiceOf(stored, "fc.input");
        QVERIFY(input.enabled && input.symmetry == Symmetry::Asymmetric && input.bits == 8);
        QVERIFY(input.granularity == Granularity::Tensor && input.method == BoundMethod::Manual);
        QCOMPARE(
            scaleForBounds(input.kind, input.symmetry, 8, input.manualBounds.at(0)), (Scale {0.03F, 77}));
        const SiteChoice& weight = choiceOf(stored, "fc.weight");
        QCOMPARE(weight.bits, bits);
        QCOMPARE(weight.symmetry == Symmetry::Symmetric, symmetric);
        QVERIFY(weight.granularity == Granularity::Group && weight.manualBounds.size() == 3);
        QCOMPARE(scaleForBounds(weight.kind, weight.symmetry, bits, weight.manualBounds[1]),
            (Scale {0.5F, symmetric ? 0 : 128}));
        const Tensor& values = opened.graph->value(sites[1].value).constant;
        QCOMPARE(values.data<float>()[0], static_cast<float>(least) * 0.25F);
        QCOMPARE(values.data<float>()[11], static_cast<float>(greatest) * 0.1F);
    }
    void whatIsNoStoredQuantizerStays_data()
    {
        QTest::addColumn<int>("which");
        QTest::newRow("two scales") << 0;
        QTest::newRow("a computed scale") << 1;
        QTest::newRow("an output") << 2;
    }
    void whatIsNoStoredQuantizerStays()
    {
        QFETCH(int, which);
        QdqSketch sketch;
        GraphBuilder& builder = sketch.builder;
        const ValueId s = sketch.constant<float>("s", {0.5F}, Shape {});
        const ValueId other = which == 0 ? sketch.constant<float>("t", {0.25F}, Shape {})
            : which == 1                 ? builder.addInput("scale", DType::F32, {})
                                         : s;
        const ValueId z = sketch.constant<std::uint8_t>("z", {3}, Shape {});
        const ValueId codes = builder.addNode("QuantizeLinear", "q", {sketch.x, s, z});
        const ValueId back = builder.addNode("DequantizeLinear", "dq", {codes, other, z});
        builder.addOutput(which == 2 ? back : builder.addNode("Relu", "relu", {back}));
        const auto before = builder.build();
        const ExtractedQuantizers opened = extractQuantizers(*before);
        QVERIFY(opened.quantizers.empty());
        QCOMPARE(opsOf(*opened.graph), opsOf(*before));
    }
    void aQuantizerWithoutASiteIsNamed()
    {
        QdqSketch sketch;
        const ValueId left = sketch.pair("x", sketch.x, 0.03F, 77);
        sketch.builder.addOutput(sketch.builder.addNode("Relu", "relu", {left}));
        const ExtractedQuantizers opened = recogniseOperators(sketch.builder.build());
        const StoredPlan stored = planFromStored(*opened.graph, findSites(*opened.graph), opened.quantizers);
        QVERIFY(stored.plan.choices.empty());
        QCOMPARE(stored.leftOut, std::vector<std::string> {"x"});
    }
    void boundsGiveTheirScaleBack()
    {
        std::mt19937 generator(3);
        int exact = 0;
        int all = 0;
        for (int i = 0; i < 20000; ++i) {
            // Scales as tools make them: from bounds, in float.
            const auto lower = -static_cast<float>(generator() % 100000) / 7919.0F;
            const auto upper = static_cast<float>(1 + generator() % 100000) / 6007.0F;
            const int bits = 2 + static_cast<int>(generator() % 7);
            for (const Symmetry symmetry : {Symmetry::Asymmetric, Symmetry::Symmetric}) {
                const Scale scale = scaleForBounds(QuantizerKind::Uniform, symmetry, bits, {lower, upper});
                const Scale back = scaleForBounds(
                    QuantizerKind::Uniform, symmetry, bits, boundsForScale(symmetry, bits, scale));
                exact += back == scale ? 1 : 0;
                ++all;
                QCOMPARE(back.zeroPoint, scale.zeroPoint);
            }
        }
        QCOMPARE(exact, all);
    }
};

QTEST_GUILESS_MAIN(TestQuantizerExtraction)
#include "tst_quantizer_extraction.moc"
