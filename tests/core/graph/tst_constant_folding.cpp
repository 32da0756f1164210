#include "core/graph/constant_folding.h"
#include "core/graph/graph_builder.h"

#include <QTest>

using namespace qs;

namespace {

using Dims = std::vector<std::int64_t>;

Tensor integers(std::initializer_list<std::int64_t> values)
{
    return Tensor::of<std::int64_t>(Shape {static_cast<std::int64_t>(values.size())}, values);
}

std::string opsOf(const Graph& graph)
{
    std::string ops;
    for (const Node& node : graph.nodes()) {
        ops += node.op + " ";
    }
    return ops;
}

template<typename T>
std::vector<T> constantOf(const Graph& graph, const char* value)
{
    const auto data = graph.value(graph.findValue(value).value()).constant.data<T>();
    return {data.begin(), data.end()};
}

/// Reshape of x to [0, computed...]: the shape arithmetic PyTorch's exporter writes for x.view(x.size(0), -1,
/// ...).
std::shared_ptr<const Graph> exportedView(std::int64_t batch)
{
    GraphBuilder builder;
    const ValueId x = builder.addInput("x", DType::F32, {batch, 6, 4});
    const ValueId shape = builder.addNode("Shape", "shape", {x});
    const ValueId tokens
        = builder.addNode("Gather", "tokens", {shape, builder.addConstant("one", integers({1}))});
    const ValueId wanted = builder.addNode("Concat", "wanted",
        {builder.addConstant("keep", integers({0})), tokens, builder.addConstant("split", integers({2, 2}))},
        {{"axis", std::int64_t {0}}});
    builder.addOutput(builder.addNode("Reshape", "view", {x, wanted}));
    return builder.build();
}

} // namespace

class TestConstantFolding : public QObject
{
    Q_OBJECT

private slots:
    void shapeArithmeticOnKnownDimensionsDisappears_data()
    {
        QTest::addColumn<int>("batch");
        QTest::newRow("fixed batch") << 3;
        QTest::newRow("free batch, which is not picked") << -1;
    }
    void shapeArithmeticOnKnownDimensionsDisappears()
    {
        QFETCH(int, batch);
        const auto graph = foldConstants(*exportedView(batch));
        QCOMPARE(opsOf(*graph), std::string("Reshape "));
        QCOMPARE(constantOf<std::int64_t>(*graph, "wanted"), (Dims {0, 6, 2, 2}));
        QVERIFY(!graph->findValue("one").has_value());
        QCOMPARE(graph->value(graph->outputs().front()).dims, (Dims {batch, 6, 2, 2}));
    }

    void whatDependsOnAFreeDimensionStays()
    {
        GraphBuilder builder;
        const ValueId x = builder.addInput("x", DType::F32, {-1, 6});
        const ValueId shape = builder.addNode("Shape", "shape", {x});
        builder.addOutput(
            builder.addNode("Gather", "batch", {shape, builder.addConstant("zero", integers({0}))}));
        QCOMPARE(opsOf(*foldConstants(*builder.build())), std::string("Shape Gather "));
    }

    void dimensionsOnlyTheFileClaimsAreNotBelieved()
    {
        GraphBuilder builder;
        const ValueId x = builder.addInput("x", DType::F32, {2, 6});
        const ValueId y = builder.addNode("NonZero", "y", {x});
        builder.setDims(y, {2, 5}, DType::I64); // depends on x's values
        builder.addOutput(builder.addNode("Shape", "shape", {y}));
        QCOMPARE(opsOf(*foldConstants(*builder.build())), std::string("NonZero Shape "));
    }

    void weightsPassTransposeAndIdentity()
    {
        GraphBuilder builder;
        const ValueId x = builder.addInput("x", DType::F32, {-1, 3});
        const ValueId weight
            = builder.addConstant("w", Tensor::of<float>(Shape {2, 3}, {1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F}));
        const ValueId turned = builder.addNode("Transpose", "turned", {weight});
        const ValueId same = builder.addNode("Identity", "same", {turned});
        builder.addOutput(builder.addNode("MatMul", "product", {x, same}));
        const auto graph = foldConstants(*builder.build());
        QCOMPARE(opsOf(*graph), std::string("MatMul "));
        QCOMPARE(
            constantOf<float>(*graph, "same"), (std::vector<float> {1.0F, 4.0F, 2.0F, 5.0F, 3.0F, 6.0F}));
        QCOMPARE(graph->value(graph->node(0).inputs[1]).dims, (Dims {3, 2}));
    }

    void aHalfWeightBehindACastStaysHalf()
    {
        GraphBuilder builder;
        const Tensor bits = Tensor::of<std::uint16_t>(Shape {2}, {0x3C00, 0xC000}); // 1, -2
        const ValueId half = builder.addConstant("w",
            Tensor(DType::F16, Shape {2}, std::make_shared<Tensor>(bits), {bits.bytes(), bits.byteCount()}));
        const ValueId wide = builder.addNode("Cast", "wide", {half}, {{"to", std::int64_t {1}}});
        const ValueId x = builder.addInput("x", DType::F32, {2});
        builder.addOutput(builder.addNode("Add", "sum", {x, wide}));
        const auto graph = foldConstants(*builder.build());
        QCOMPARE(opsOf(*graph), std::string("Add "));
        const Tensor& kept = graph->value(graph->node(0).inputs[1]).constant;
        QCOMPARE(kept.dtype(), DType::F16);
        QCOMPARE(kept.toF32().data<float>()[1], -2.0F);
    }

    void quantizersOfWeightsStay()
    {
        GraphBuilder builder;
        const ValueId codes = builder.addConstant("q", Tensor::of<std::int8_t>(Shape {2}, {3, -4}));
        const ValueId scale = builder.addConstant("s", Tensor::of<float>(Shape {}, {0.5F}));
        builder.addOutput(builder.addNode("DequantizeLinear", "w", {codes, scale}));
        QCOMPARE(opsOf(*foldConstants(*builder.build())), std::string("DequantizeLinear "));
    }

    /// A small file must not become a large graph.
    void growthStopsAtTheLimit_data()
    {
        QTest::addColumn<QByteArray>("op");
        for (const char* op : {"Expand", "ConstantOfShape", "Tile"}) {
            QTest::newRow(op) << QByteArray(op);
        }
    }
    void growthStopsAtTheLimit()
    {
        QFETCH(QByteArray, op);
        GraphBuilder builder;
        const ValueId shape = builder.addConstant("shape", integers({std::int64_t {1} << 40}));
        const ValueId one = builder.addConstant("one", Tensor::of<float>(Shape {1}, {1.0F}));
        std::vector<ValueId> inputs {one, shape};
        if (op == "ConstantOfShape") {
            inputs = {shape};
        }
        const ValueId huge = builder.addNode(op.toStdString(), "huge", inputs);
        builder.addOutput(builder.addNode("Neg", "out", {huge}));
        QCOMPARE(opsOf(*foldConstants(*builder.build())), op.toStdString() + " Neg ");
    }
    void doublingStopsAtTheLimit()
    {
        GraphBuilder builder;
        ValueId value = builder.addConstant("one", Tensor::of<float>(Shape {1}, {1.0F}));
        for (int i = 0; i < 60; ++i) {
            value = builder.addNode(
                "Concat", "twice." + std::to_string(i), {value, value}, {{"axis", std::int64_t {0}}});
        }
        builder.addOutput(value);
        const auto graph = foldConstants(*builder.build(), {.bytes = 1 << 20});
        QVERIFY(graph->nodes().size() > 40);
        std::size_t largest = 0;
        for (const Value& constant : graph->values()) {
            largest = std::max(largest, constant.isConstant() ? constant.constant.byteCount() : 0);
        }
        QVERIFY(largest > 1000 && largest <= (1 << 20));
    }

    void whatFailsStaysForTheRuntimeToName()
    {
        GraphBuilder builder;
        const ValueId data = builder.addConstant("data", integers({5, 6}));
        builder.addOutput(
            builder.addNode("Gather", "beyond", {data, builder.addConstant("index", integers({2}))}));
        QCOMPARE(opsOf(*foldConstants(*builder.build())), std::string("Gather "));
    }

    void aGraphOfConstantsKeepsItsOutputs()
    {
        GraphBuilder builder;
        const ValueId a = builder.addConstant("a", integers({5, 6}));
        const ValueId sum = builder.addNode("Add", "sum", {a, a});
        builder.addOutput(sum);
        builder.addOutput(a);
        const auto graph = foldConstants(*builder.build());
        QVERIFY(graph->nodes().empty());
        QCOMPARE(graph->outputs().size(), std::size_t {2});
        QCOMPARE(constantOf<std::int64_t>(*graph, "sum"), (Dims {10, 12}));
    }
};

QTEST_GUILESS_MAIN(TestConstantFolding)
#include "tst_constant_folding.moc"
